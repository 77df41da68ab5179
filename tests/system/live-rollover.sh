#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A rollover of our own key as partners live through it: prepared, published, seen, activated by its date, retired; by hand; with the
# daemon killed in between. A receiver that believes keys[0] only, and a loop of requests, never fail meanwhile.
. "$(dirname "$0")/lib.sh"
LYNC_KEYS=managed
add_to_conf() { # node section line
    sed -i "/^\[$2\]/a $3" "$TOP/$1/etc/s2sd.conf"
}
configure_more() {
    add_to_conf lync SigningKey PublishLead=2s
    add_to_conf lync SigningKey KeepPublishedAfter=0
    sed -i 's/^Allow=.*/& roll force/' "$TOP/lync/etc/clients.d/test.conf"
    for n in lync exch; do echo Announce=yes >>"$(ls "$TOP/$n"/etc/partners.d/*.conf)"; done
    ctl lync reload && ctl exch reload
}
two_nodes || exit 1
ok 'both announce what they have read' configure_more
url=https://lync.localhost:$LYNC_PORT/metadata/json/1

keys() { ctl lync cert list --json | tr '{' '\n' | sed -n 's/.*"thumbprint":"\([0-9A-F]*\)".*"state":"\(current\|next\|previous\)".*/\1 \2/p'; }
key_that_is() { keys | sed -n "s/ $1\$//p"; }
is_state() { [ "$(keys | sed -n "s/^$1 //p")" = "$2" ]; } # thumbprint, state ("" when it is gone)

# --- the receivers ---
good_loop() {
    local good=0 bad=0 token
    trap 'echo "$good $bad" >"$TOP/loop"; exit 0' TERM
    while :; do
        token=$(mint lync exch -d lifetime=10)
        if [ -n "$token" ] && introspect exch <<<"$token" | grep -q '"active":true'; then good=$((good + 1)); else bad=$((bad + 1)); fi
    done
}
reader() { # the audience as the token has it
    /usr/bin/python3 tests/interop/first_key.py "$TOP/lync/run/mint.sock" exch "$EXCH_ID/exch.localhost@contoso.example" "$url" "$TOP/ca.pem" "$TOP/stop"
}
good_loop &
loop=$!
reader >"$TOP/reader" 2>&1 &
reader_pid=$!
EXTRA_PIDS+=("$loop" "$reader_pid")

# --- by its date ---
old=$(key_that_is current)
ok 'there is one key' says '^1$' sh -c "echo '$(keys)' | grep -c ."
ok '--dry-run changes nothing' says 'key' ctl lync cert roll --prepare --effective +8s --dry-run
ok 'still one key' says '^1$' sh -c "echo '$(keys)' | grep -c ."
ok 'a next key is prepared' ctl lync cert roll --prepare --effective +8s
next=$(key_that_is next)
ok 'it is another one' not test "$next" = "$old"
ok 'it is published beside the signing one' says '^2$' sh -c "curl -s --cacert $TOP/ca.pem $url | grep -o x509Certificate | wc -l"
ok 'prepared again it gets another date' ctl lync cert roll --prepare --effective +10s
ok 'and is the same key' test "$(key_that_is next)" = "$next"
ok 'it does not sign before a partner has seen it' status_is 1 ctl lync cert roll --now
ok 'the refusal names the partner' says exch ctl lync cert roll --now
ok 'exch reads it' ctl exch partners refresh
ok 'and has announced that it believes it' await 10 sh -c "$BIN/s2sctl --runtime-dir=$TOP/lync/run cert list | grep -q announced"
ok 'its date comes: it signs' await 30 is_state "$next" current
ok 'the old one is previous, still published' is_state "$old" previous
ok 'the old one leaves when its last token has ended' await 60 is_state "$old" ""

kill_lync() { # the whole tree, as a power cut would
    local pid=${NODE_PID[lync]}
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    unset "NODE_PID[lync]"
    await 10 not pgrep -f -- "--state-dir=$TOP/lync/state"
}
touch "$TOP/stop"
ok 'the receiver that takes keys[0] only never failed' wait "$reader_pid"
ok 'and the key was another one for it meanwhile' says ' 0 wrong, [1-9][0-9]* key changes' cat "$TOP/reader"
kill -TERM "$loop"
wait "$loop" 2>/dev/null
read -r good bad <"$TOP/loop"
ok "of $good requests none failed" test "$bad" -eq 0 -a "$good" -gt 0

ok 'a next key is prepared' ctl lync cert roll --prepare --effective +1h
third=$(key_that_is next)
kill_lync
ok 'lync starts again' start_node lync
ok 'the next key is there' is_state "$third" next
ok 'exch reads it' ctl exch partners refresh
ok 'after its lead it is activated by hand' await 20 ctl lync cert roll --now
kill_lync
ok 'lync starts again' start_node lync
ok 'it still signs' is_state "$third" current
ok 'with the one before it still published' is_state "$next" previous
mint lync exch -d min_valid_period=3590 >"$TOP/token"
ok 'its tokens are accepted' says '"active":true' introspect exch <"$TOP/token"
ok 'the previous key is kept while its tokens live' status_is 1 ctl lync cert clear-previous
ok 'a next key can be taken back' sh -c "$BIN/s2sctl --runtime-dir=$TOP/lync/run cert roll --prepare && $BIN/s2sctl --runtime-dir=$TOP/lync/run cert roll --abort"
ok 'it is gone' test -z "$(key_that_is next)"
ok 'the signing key cannot be withdrawn without another' status_is 1 ctl lync cert withdraw "$third"
ok 'a withdrawn previous key is gone at once' sh -c "$BIN/s2sctl --runtime-dir=$TOP/lync/run cert withdraw $next --force"
ok 'from the document too' says '^1$' sh -c "curl -s --cacert $TOP/ca.pem $url | grep -o x509Certificate | wc -l"
ok 'no private key is left of it' says '^1$' sh -c "ls $TOP/lync/state/signer/keys | wc -l"
