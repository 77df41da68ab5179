#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SIGKILL of any one process while 50 programs mint and validate in a loop: no wrong answer ever, success on retry within two
# seconds, no zombie, no leaked descriptor; and the walls as /proc shows them.
. "$(dirname "$0")/lib.sh"
two_nodes || exit 1
mint lync exch >"$TOP/token"
IFS=. read -r head claims _ <"$TOP/token"
printf '%s.%s.%s' "$head" "$claims" "$(openssl rand 256 | openssl base64 -A | tr '+/' '-_' | tr -d =)" >"$TOP/forged"

all_of() { # pid: it and everything below it
    local p
    echo "$1"
    for p in $(pgrep -P "$1"); do all_of "$p"; done
}
pids() { all_of "${NODE_PID[$1]}" | while read -r p; do tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q -- "$2" && echo "$p"; done; }
signer_parent() { pgrep -P "${NODE_PID[$1]}" -f s2sd-signer; }
signer_children() { pgrep -P "$(signer_parent "$1")"; }
fds() { for p in $(all_of "${NODE_PID[$1]}"); do ls "/proc/$p/fd" 2>/dev/null; done | wc -l; }
zombies() { for p in $(all_of "${NODE_PID[$1]}"); do grep -l '^State:.Z' "/proc/$p/status" 2>/dev/null; done; }

# --- walls: a validator has no descriptor that leads to the signer, a minter has one (shown from /proc and the kernel's socket table) ---
sockets_of() { for f in /proc/"$1"/fd/*; do readlink "$f"; done 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p'; }
leads_to_signer() {
    local table signer ino peer
    table=$(ss -xaHn)
    signer=$({ sockets_of "$(signer_parent lync)"; for c in $(signer_children lync); do sockets_of "$c"; done; } | sort -u)
    for ino in $(sockets_of "$1"); do
        for peer in $(awk -v i="$ino" '$6 == i { print $8 } $8 == i { print $6 }' <<<"$table"); do
            [ "$peer" != 0 ] && grep -qx "$peer" <<<"$signer" && return 0
        done
    done
    return 1
}
for v in $(pids lync worker=validator); do ok 'a validator has no way to the signer' not leads_to_signer "$v"; done
for m in $(pids lync worker=minter); do ok 'a minter has one' leads_to_signer "$m"; done
for w in $(pids lync worker=); do
    ok 'a worker can make no socket of the kind that links are' grep -qE '^Seccomp:[[:space:]]2$' "/proc/$w/status"
    ok 'a worker has no network socket' not sh -c "ls -l /proc/$w/fd | grep -q 'socket' && ss -tlnp 2>/dev/null | grep -q 'pid=$w,'"
done

for p in $(all_of "${NODE_PID[lync]}"); do
    ok "no core file of $(cat "/proc/$p/comm") is written" grep -qE '^Max core file size +[0-9]+ +0 ' "/proc/$p/limits"
done

await 3 false
before=$(($(fds lync) + $(fds exch)))
tests/system/chaos.py "$TOP/lync/run/mint.sock" "$TOP/exch/run/validate.sock" exch "$TOP/forged" "$TOP/stop" "${CLIENTS:-50}" >"$TOP/chaos" 2>&1 &
EXTRA_PIDS=($!)
victim() { # description pid
    [ -n "$2" ] || { failed=$((failed + 1)); echo "FAILED: no $1 to kill"; return; }
    kill -9 "$2"
    gone_and_back() { ! kill -0 "$1" 2>/dev/null; }
    ok "$1 killed" await 2 gone_and_back "$2"
    await 2 false
}
for round in 1 2; do
    victim "a validator of exch (round $round)" "$(pids exch worker=validator | head -n 1)"
    victim "the minter of lync (round $round)" "$(pids lync worker=minter | head -n 1)"
    victim "a signing child of lync (round $round)" "$(signer_children lync | head -n 1)"
    victim "the signer of lync (round $round)" "$(signer_parent lync)"
    victim "the fetcher of exch (round $round)" "$(pgrep -P "${NODE_PID[exch]}" -f s2sd-fetcher)"
done
touch "$TOP/stop"
ok '50 programs saw no wrong answer' wait "${EXTRA_PIDS[0]}"
EXTRA_PIDS=()
cat "$TOP/chaos"
ok 'no zombie' test -z "$(zombies lync)$(zombies exch)"
same_fds() { after=$(($(fds lync) + $(fds exch))); echo "before $before, after $after"; [ $after -le $((before + 4)) ]; }
ok 'no leaked descriptor' await 10 same_fds
echo "descriptors: $before before, $(($(fds lync) + $(fds exch))) after"

# --- a worker that hangs is as bad as a dead one: replaced, and whoever waited at the door is served ---
v=$(pids lync worker=minter | head -n 1)
kill -STOP "$v"
mint lync exch >"$TOP/late" &
late=$!
gone_and_back() { ! kill -0 "$1" 2>/dev/null; }
ok 'a minter that hangs is replaced' await 15 gone_and_back "$v"
ok 'who knocked meanwhile is served' wait "$late"
ok 'with a token' test -s "$TOP/late"
# a signing child that hangs costs its orders a moment, not an answer
kill -STOP "$(signer_children lync | head -n 1)"
many_minted() { for i in $(seq 8); do mint lync exch -d min_valid_period=3599 >"$TOP/many.$i" & done; wait $(jobs -p | tail -n 8); for i in $(seq 8); do [ -s "$TOP/many.$i" ] || return 1; done; }
ok 'a signing child that hangs loses no order' many_minted

# --- the broker under --all: everything ends with it ---
everything=$(all_of "${NODE_PID[exch]}")
kill -9 "${NODE_PID[exch]}"
all_gone() { for p in $everything; do [ -d "/proc/$p" ] && ! grep -q '^State:.Z' "/proc/$p/status" && return 1; done; return 0; }
ok 'under --all all processes end with the broker' await 3 all_gone
wait "${NODE_PID[exch]}" 2>/dev/null
unset 'NODE_PID[exch]'
start_node exch
ok 'and it starts again on its state' says '"active":true' introspect exch <"$TOP/token"
