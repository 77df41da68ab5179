#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Peers in numbers: refusals do not fill the journal, a user who takes all places he gets does not keep others out, peers that
# stay at the public door do not keep partners from reading.
. "$(dirname "$0")/lib.sh"
two_nodes || exit 1
sed -i 's/^Allow=.*/Allow=mint validate explain status refresh/' "$TOP/lync/etc/clients.d/test.conf"
printf '[Limits]\nConnections=64\nConnectionsPerUser=32\n' >>"$TOP/lync/etc/s2sd.conf"
stop_node lync
start_node lync || exit 1
chmod 755 "$TOP/lync" "$TOP/lync/run"
strangers() { /usr/bin/python3 tests/system/strangers.py "$@"; }

# --- the journal: at most ten lines a second of one kind, however many are refused ---
lines() { wc -l <"$TOP/lync/log"; }
bounded() { # socket message [user]: 2000 refusals
    local before count seconds after
    before=$(lines)
    read -r count seconds < <(strangers refused "$TOP/lync/run/$1" 2000 "${@:2}")
    after=$(lines)
    echo "$count refusals in $seconds s, $((after - before)) lines"
    [ "$count" -eq 2000 ] && [ $((after - before)) -gt 0 ] && [ $((after - before)) -le $(((seconds + 1) * 11)) ]
}
ok 'calls without the right' bounded io.s2sd.control '{"method":"io.s2sd.control.Reload"}' 65534
ok 'orders for nobody' bounded io.s2sd.mint '{"method":"io.s2sd.mint.Mint","parameters":{"resource":"nobody"}}'
ok 'orders for a user who may not be acted for' bounded io.s2sd.mint \
    '{"method":"io.s2sd.mint.Mint","parameters":{"resource":"exch","user":"eve@evil.example"}}'

# --- places at the local door ---
storm() { # socket places: one user takes them and goes on knocking; calm ends it
    strangers storm "$TOP/lync/run/$1" "$2" "$TOP/stop" 65534 >"$TOP/storm" &
    EXTRA_PIDS=($!)
    ok "a user takes all places of $1 he gets" await 10 grep -qx "$2" "$TOP/storm"
}
calm() {
    touch "$TOP/stop"
    wait "${EXTRA_PIDS[0]}"
    EXTRA_PIDS=()
    rm "$TOP/stop"
}
all_minted() { for _ in $(seq 50); do mint lync exch >"$TOP/one"; [ -s "$TOP/one" ] || return 1; done; }
if [ "$(id -u)" -eq 0 ]; then
    storm mint.sock 32
    ok 'and keeps nobody else out' all_minted
    calm
    storm io.s2sd.control 48
    ok 'and keeps no other user out' says '^50 ' strangers refused "$TOP/lync/run/io.s2sd.control" 50 '{"method":"io.s2sd.control.Reload"}' 65533
    ok 'nor root' ctl lync status
    calm
else
    echo 'skipped: only root can be two users'
fi

# --- places at the public door ---
for kind in '80 0' '0 80'; do
    # shellcheck disable=SC2086 # two arguments
    strangers stay "$LYNC_PORT" lync.localhost "$TOP/ca.pem" $kind "$TOP/stop" >"$TOP/stay" 2>>"$TOP/lync/log" &
    EXTRA_PIDS=($!)
    ok "80 peers stay ($kind)" await 30 grep -qx 80 "$TOP/stay"
    for _ in 1 2 3; do
        ok "a partner reads the document all the same ($kind)" curl -sf --max-time 3 --cacert "$TOP/ca.pem" \
            --resolve "lync.localhost:$LYNC_PORT:127.0.0.1" "https://lync.localhost:$LYNC_PORT/metadata/json/1"
    done
    calm
done
ok 'told in the log' grep -q 'public door: all 64 connections are in use' "$TOP/lync/log"
