#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an administrator decides about a partner: suspended, resumed, barred and unbarred, in force in every process when the
# command has ended, over a restart and over SIGKILL.
. "$(dirname "$0")/lib.sh"
CONNECTIONS=8
two_nodes
printf 'Allow=bar approve\n' >>"$TOP/exch/etc/clients.d/test.conf"
ok 'exch reads the rights' ctl exch reload
mint lync exch >"$TOP/token"
THUMB=$(openssl x509 -in "$TOP/lync/keys/current.pem" -noout -fingerprint -sha1 | sed 's/.*=//')

hold() { # connections to every validator of exch, one question over all of them at a time
    exec {ASK}> >(exec python3 tests/system/operators.py "$TOP/exch/run/validate.sock" "$TOP/token" $CONNECTIONS >"$TOP/said" 2>&1)
    HOLDER=$!
    EXTRA_PIDS+=("$HOLDER")
    asked=0
}
let_go() {
    exec {ASK}>&-
    wait "$HOLDER" 2>/dev/null
}
answered() { [ "$(wc -l <"$TOP/said")" -ge $asked ]; }
verdicts() { # every connection gets this verdict now
    echo ask >&"$ASK"
    asked=$((asked + 1))
    await 20 answered || { echo 'no answer'; cat "$TOP/said"; return 1; }
    tail -n 1 "$TOP/said"
    [ "$(tail -n 1 "$TOP/said")" = "$1 x$CONNECTIONS" ]
}
everybody_has_some() { # no validator without a connection
    ctl exch status --json | python3 -c '
import json, sys
n = [w["connections"] for w in json.load(sys.stdin)["workers"] if w["kind"] == "validator"]
print(n)
sys.exit(0 if n and min(n) > 0 else 1)'
}
minting() { # mint door of exch, what it says
    curl -s --unix-socket "$TOP/exch/run/mint.sock" -d grant_type=client_credentials -d resource=lync http://localhost/token
}
crash() { # SIGKILL, and another start
    let_go
    kill -9 "${NODE_PID[exch]}"
    wait "${NODE_PID[exch]}" 2>/dev/null
    await 10 not pgrep -f -- "--state-dir=$TOP/exch/state/signer"
    start_node exch
    hold
}
restart() {
    let_go
    stop_node exch
    start_node exch
    hold
}

# --- before ---
hold
ok 'the token is believed' verdicts active
ok 'a verdict is remembered by now' verdicts active
ok 'every validator is asked' everybody_has_some
ok 'a token for lync is minted' says access_token minting

# --- suspended: the very next question, in every process ---
ok 'suspend' says 'lync is suspended' ctl exch partners suspend lync
ok 'every validator refuses' verdicts partner_suspended
ok 'the minter refuses, though it has a token at hand' says partner_suspended minting
ok 'once is enough' says 'suspended already' ctl exch partners suspend lync
ok 'it is shown' says 'suspended since' ctl exch partners show lync
ok 'and noted with who did it' says "suspended by uid $(id -u)" ctl exch partners show lync
ok 'its document is still fetched' ctl exch partners refresh lync
ok 'which changes nothing' verdicts partner_suspended
restart
ok 'a restart does not end it' verdicts partner_suspended
ok 'nor for the minter' says partner_suspended minting
crash
ok 'SIGKILL does not end it' verdicts partner_suspended
ok 'nor for the minter' says partner_suspended minting
ok 'every validator is asked' everybody_has_some

# --- a worker that is replaced knows it, too ---
for pid in $(pgrep -P "${NODE_PID[exch]}" -f -- '--worker=minter'); do kill -9 "$pid"; done
await 20 node_ready exch
ok 'another minter refuses' says partner_suspended minting

# --- resumed ---
ok 'resume' says 'lync is resumed' ctl exch partners resume lync
ok 'every validator believes it' verdicts active
ok 'the minter mints' says access_token minting

# --- a reload loses nothing ---
ok 'suspend again' ctl exch partners suspend lync
printf '# touched\n' >>"$TOP/exch/etc/s2sd.conf"
ok 'reload' ctl exch reload
ok 'every validator refuses after a reload' verdicts partner_suspended
ok 'so does the minter' says partner_suspended minting
ok 'resume again' ctl exch partners resume lync

# --- barred ---
ok 'a key that is not there cannot be barred' says '[0-9A-F]{40}' status_is 1 ctl exch partners bar lync 0000000000000000000000000000000000000000
ok 'bar' says 'is barred' ctl exch partners bar lync "$THUMB"
ok 'every validator refuses the key' verdicts key_barred
ok 'tokens for the partner are still minted' says access_token minting
ok 'a fresh document' ctl exch partners refresh lync
ok 'does not bring it back' verdicts key_barred
restart
ok 'nor does a restart' verdicts key_barred
crash
ok 'nor does SIGKILL' verdicts key_barred
ok 'it is shown' says 'barred' ctl exch partners show lync
ok 'unbar' says 'no longer barred' ctl exch partners unbar lync "$THUMB"
ok 'every validator believes it again' verdicts active
ok 'there is nothing to approve' status_is 1 ctl exch partners approve lync
let_go
