#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A partner down, slow, redirecting, wrong host name, 10 MiB, not JSON, another application: each leaves the last good document in force
# and shows its own reason. A restart with the partner down is ready at once and still validates.
. "$(dirname "$0")/lib.sh"
EXCH_PORT=$(free_port) LYNC_PORT=$(free_port)
make_ca ca
make_ca other-ca
mkdir -p "$TOP/exch" "$TOP/lync"
make_tls "$TOP/exch/tls" exch.localhost ca
make_tls "$TOP/lync/tls" lync.localhost ca
make_tls "$TOP/lync/wrong" somebody-else.localhost ca
make_tls "$TOP/lync/foreign" lync.localhost other-ca
make_signing_key "$TOP/lync/key.pem" lync
configure exch $EXCH_ID "$EXCH_PORT"
partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1"

# the partner's document, in the SharePoint shape, and a token of it
der=$(openssl x509 -in "$TOP/lync/key.pem" -outform DER | openssl base64 -A)
printf '{"issuer":"%s@contoso.example","name":"lync","serviceName":"%s","keys":[{"keyValue":{"type":"x509certificate","value":"%s"},"usage":"Signing"}]}' \
    $LYNC_ID $LYNC_ID "$der" >"$TOP/lync/document"
/usr/bin/python3 tests/interop/forge.py "$TOP/lync/key.pem" "$LYNC_ID@contoso.example" "$EXCH_ID/exch.localhost@contoso.example" string >"$TOP/token"

serve() { # certificate
    [ ${#EXTRA_PIDS[@]} -gt 0 ] && { kill "${EXTRA_PIDS[0]}" 2>/dev/null; wait "${EXTRA_PIDS[0]}" 2>/dev/null; }
    EXTRA_PIDS=()
    [ -n "${1:-}" ] || return 0
    tests/system/partner.py "$LYNC_PORT" "$TOP/lync/$1.pem" "$TOP/lync/$1.key" "$TOP/lync" 2>>"$TOP/lync/log" &
    EXTRA_PIDS=($!)
    await 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$LYNC_PORT"
}
accepted() { says '"active":true' introspect exch <"$TOP/token"; }
trouble() { # mode reason: the refresh says so, the table says so, the token is accepted all the same
    echo "$1" >"$TOP/lync/mode"
    ok "$1: the refresh is a no" status_is 1 ctl exch partners refresh lync
    ok "$1: partners show says $2" says "\"lastReason\":[[:space:]]*\"$2\"" ctl exch partners show lync --json
    ok "$1: the last good document is in force" accepted
}

echo good >"$TOP/lync/mode"
serve tls
start_node exch || exit 1
ok 'the document is fetched' ctl exch partners refresh lync
ok 'the token is accepted' accepted
for row in redirect:fetch_redirect error:fetch_status huge:fetch_too_large not-json:json_syntax \
    other-application:document_issuer no-keys:document_keys compressed:fetch_encoding not-http:fetch_headers slow:fetch_timeout; do
    trouble "${row%:*}" "${row#*:}"
done
echo good >"$TOP/lync/mode"

# the section becomes another application's: the key that was learned from lync is nobody's now
other=00000003-0000-0ff1-ce00-000000000000
partner exch lync $other "https://lync.localhost:$LYNC_PORT/metadata/json/1"
/usr/bin/python3 tests/interop/forge.py "$TOP/lync/key.pem" "$other@contoso.example" "$EXCH_ID/exch.localhost@contoso.example" string >"$TOP/other"
ok 'another ApplicationId= is taken at a reload' ctl exch reload
ok 'keys of the one before do not count for it' says '"active":false.*"reason":"unknown_key"' introspect exch <"$TOP/other"
partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1"
ok 'back again' ctl exch reload
ok 'the document is fetched anew' await 10 accepted

serve wrong
trouble good fetch_host_name
serve foreign
trouble good fetch_tls
serve ''
trouble good fetch_connect

# restart while the partner is down
stop_node exch
start_node exch || exit 1
ok 'after a restart with the partner down tokens validate at once' accepted
ok 'and the reason is still told' says '"lastReason":[[:space:]]*"fetch_' ctl exch partners show lync --json

# one byte of the stored document damaged: put aside, logged, fetched again
stop_node exch
state=$(ls "$TOP"/exch/state/partners/*.state)
printf 'X' | dd of="$state" bs=1 seek=$(($(stat -c %s "$state") / 2)) conv=notrunc status=none
serve tls
start_node exch || exit 1
ok 'a damaged state file is put aside' says 'broken|aside|quarantine' grep -iE 'broken|aside|quarantine' "$TOP/exch/log"
ok 'and the document is fetched anew' await 10 accepted
