#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts and ends: at any moment, once is enough, in time; a signer that comes back with other files; a disk that is read-only.
. "$(dirname "$0")/lib.sh"
LYNC_PORT=$(free_port)
EXCH_PORT=$(free_port)
make_ca ca
mkdir -p "$TOP/lync" "$TOP/exch"
make_tls "$TOP/lync/tls" lync.localhost ca
make_tls "$TOP/exch/tls" exch.localhost ca
configure lync $LYNC_ID "$LYNC_PORT"
configure exch $EXCH_ID "$EXCH_PORT"
partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1"
partner lync exch $EXCH_ID "https://exch.localhost:$EXCH_PORT/metadata/json/1"

# --- folders that others may write into ---
chmod 777 "$TOP/lync/run"
ok 'a runtime folder that others may write into is refused' says 'nobody else may write into it' status_is 1 \
    "$BIN/s2sd" --all --config-dir="$TOP/lync/etc" --runtime-dir="$TOP/lync/run" --state-dir="$TOP/lync/state"
chmod 700 "$TOP/lync/run"

# --- told to end at any moment of its first start, the making of the key among them ---
launch() { # node: in the background, not waited for
    "$BIN/s2sd" --all --config-dir="$TOP/$1/etc" --runtime-dir="$TOP/$1/run" --state-dir="$TOP/$1/state" >>"$TOP/$1/log" 2>&1 &
    NODE_PID[$1]=$!
}
ends_within() { # milliseconds signal node
    local from=${EPOCHREALTIME/./} took status
    kill "-$2" "${NODE_PID[$3]}"
    wait "${NODE_PID[$3]}"
    status=$?
    took=$(((${EPOCHREALTIME/./} - from) / 1000))
    echo "status $status after $took ms"
    unset "NODE_PID[$3]"
    [ $took -le "$1" ] && { [ $status -eq 0 ] || [ $status -eq $((128 + 15)) ]; }
}
for i in 0.02 0.05 0.1 0.2 0.4; do
    rm -rf "$TOP/lync/state" && mkdir -m 700 "$TOP/lync/state"
    launch lync
    read -r -t $i <> <(:) || true
    ok "SIGTERM after $i s ends it" ends_within 2000 TERM lync
done
ok 'nobody had to be cut off' not grep -q 'ending at once' "$TOP/lync/log"

start_node lync
nobody_left() { ! pgrep -f -- "--state-dir=$TOP/lync/state/signer" >/dev/null; }
ok 'SIGTERM with idle doors ends it at once' ends_within 1500 TERM lync
ok 'the signer has ended, too' nobody_left

# --- half a request is waited for, but not beyond a second signal ---
start_node lync
exec 4> >(openssl s_client -quiet -connect "127.0.0.1:$LYNC_PORT" -servername lync.localhost >"$TOP/half" 2>&1)
printf 'GET /metadata/json/1 HTT' >&4
await 1 false
kill "${NODE_PID[lync]}"
await 1 false
ok 'half a request is waited for' kill -0 "${NODE_PID[lync]}"
ok 'a second signal ends it at once' ends_within 1500 TERM lync
exec 4>&-
ok 'and says what was cut off' grep -q 'ending at once; cut off: 1 public connections, 0 workers, 2 other programs' "$TOP/lync/log"

# --- what was agreed upon at a reload is compared again when the signer comes back ---
start_node lync
start_node exch
ok 'exch fetches the document of lync' ctl exch partners refresh
signer_of() { pgrep -P "${NODE_PID[$1]}" -f s2sd-signer; }
kill_signer() {
    kill -9 "$(signer_of lync)"
    await 10 node_ready lync
}
kill_signer
ok 'a signer that comes back with the same files is no news' not grep -q 'another configuration' "$TOP/lync/log"
printf '[Client late]\nUser=root\nAllow=status\n' >"$TOP/lync/etc/clients.d/zzz.conf"
kill_signer
ok 'one that has read other files is told' await 3 grep -q 's2sd-signer works by another configuration' "$TOP/lync/log"
ok 'a reload makes them agree' ctl lync reload
: >"$TOP/lync/log"
kill_signer
ok 'and they do' not grep -q 'another configuration' "$TOP/lync/log"

# --- a disk that comes up read-only: what is known still counts ---
mint lync exch >"$TOP/token"
stop_node exch
read_only() { mount --bind "$TOP/exch/state" "$TOP/exch/state" && mount -o remount,bind,ro "$TOP/exch/state"; }
if [ "$(id -u)" -eq 0 ] && read_only 2>/dev/null; then
    start_node exch
    stop_node lync
    ok 'a read-only state folder: tokens validate' says '"active":true' introspect exch <"$TOP/token"
    ok 'and minting works' test -n "$(mint exch lync)"
    stop_node exch
    umount "$TOP/exch/state"
fi
