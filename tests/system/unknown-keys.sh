#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A partner changes its key with no overlap: 200 programs are served by one fetch. Floods of random key ids and of forged signatures cost no
# more fetches than the cooldown allows and slow nobody. A full disk and a damaged state file change nothing for those who ask.
# FLOOD_SECONDS=60 is the long run.
. "$(dirname "$0")/lib.sh"
EXCH_PORT=$(free_port) LYNC_PORT=$(free_port)
PY=/usr/bin/python3
KEYS=tests/system/unknown_keys.py
SOCKET=$TOP/exch/run/validate.sock
ISSUER=$LYNC_ID@contoso.example
AUDIENCE=$EXCH_ID/exch.localhost@contoso.example
make_ca ca
mkdir -p "$TOP/exch" "$TOP/lync"
make_tls "$TOP/exch/tls" exch.localhost ca
make_tls "$TOP/lync/tls" lync.localhost ca
for k in one two three; do make_signing_key "$TOP/lync/$k.pem" "lync $k"; done
configure exch $EXCH_ID "$EXCH_PORT"
partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1"

publish() { # KEY: the partner's document, in the SharePoint shape, holds that key alone
    local der
    der=$(openssl x509 -in "$TOP/lync/$1.pem" -outform DER | openssl base64 -A)
    printf '{"issuer":"%s@contoso.example","name":"lync","serviceName":"%s","keys":[{"keyValue":{"type":"x509certificate","value":"%s"},"usage":"Signing"}]}' \
        $LYNC_ID $LYNC_ID "$der" >"$TOP/lync/document.new"
    mv "$TOP/lync/document.new" "$TOP/lync/document"
}
gets() { wc -l <"$TOP/lync/requests"; }
gets_since() { # N LEAST MOST
    local n=$(($(gets) - $1))
    echo "$n GETs"
    [ $n -ge "$2" ] && [ $n -le "$3" ]
}
counter() { ctl exch status --json | tr ',{' '\n\n' | sed -n "s/.*\"$1\":[[:space:]]*\([0-9]*\).*/\1/p" | head -n 1; }
counted() { # NAME LEAST
    local n
    n=$(counter "$1")
    echo "$1: ${n:-none}"
    [ "${n:-0}" -ge "$2" ]
}
token() { $PY tests/interop/forge.py "$TOP/lync/$1.pem" $ISSUER $AUDIENCE string; }
ratio_below() { awk -v most="$1" '/^ratio/ { found = 1; if ($2 > most) exit 1 } END { exit !found }' "$TOP/flood"; }

publish one
echo good >"$TOP/lync/mode"
: >"$TOP/lync/requests"
tests/system/partner.py "$LYNC_PORT" "$TOP/lync/tls.pem" "$TOP/lync/tls.key" "$TOP/lync" 2>>"$TOP/lync/log" &
EXTRA_PIDS=($!)
await 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$LYNC_PORT"
start_node exch || exit 1
ok 'the first document is fetched' ctl exch partners refresh lync
ok 'a token of its key is accepted' says '"active":true' introspect exch < <(token one)

# --- one key goes, another comes, and 200 programs hold tokens of the new one ---
publish two
echo late >"$TOP/lync/mode"
before=$(gets)
ok '200 programs with tokens of the new key are all accepted' $PY $KEYS together "$SOCKET" "$TOP/lync/two.pem" $ISSUER $AUDIENCE 200
ok 'the partner was asked once' gets_since "$before" 1 1
ok 'the key that went is believed no longer' says '"active":false.*"reason":"unknown_key"' introspect exch < <(token one)
echo good >"$TOP/lync/mode"

# --- floods: 10,000 a minute ---
flood() { # KIND MOST-GETS
    local from
    from=$(gets)
    $PY $KEYS flood "$SOCKET" "$TOP/lync/two.pem" $ISSUER $AUDIENCE "${FLOOD_SECONDS:-8}" 167 "$1" >"$TOP/flood" 2>&1
    ok "$1: good tokens are accepted, bad ones are not" grep -q '^ratio' "$TOP/flood"
    echo "$1: $(cat "$TOP/flood"), $(($(gets) - from)) GETs"
    ok "$1: at most $2 GETs" gets_since "$from" 0 "$2"
    ok "$1: others are not slowed" ratio_below "${FLOOD_RATIO:-4}"
}
[ -n "${FLOOD_SECONDS:-}" ] && flood good 0 # what the same load of good tokens costs
flood random-ids 3
ok 'what was not asked for is counted' counted hintsQuiet 100
ok 'what was asked for, too' counted hintFetches 1
fetches=$(counter hintFetches)
flood forged 0
ok 'forged signatures under a thumbprint have caused no fetch' test "$(counter hintFetches)" = "$fetches"

# --- a token that would be refused all the same costs no question ---
hints=$(counter hints)
$PY tests/interop/forge.py "$TOP/lync/three.pem" $ISSUER "$EXCH_ID/elsewhere.localhost@contoso.example" string >"$TOP/elsewhere"
ok 'an unknown key for another host' says '"active":false.*"reason":"unknown_key"' introspect exch <"$TOP/elsewhere"
ok 'is not asked for' test "$(counter hints)" = "$hints"
ok 'but counted' counted hintsHopeless 1

# --- a partner whose clock is wrong: shown, and told with a token that is too old for us ---
echo ahead >"$TOP/lync/mode"
ok 'a document from a server whose clock is ahead' ctl exch partners refresh lync
ok 'partners show says by how much' says 'Clock +21[123] s ahead of ours' ctl exch partners show lync
ok 'so does its JSON' says '"clockOffset":[[:space:]]*21[123]' ctl exch partners show lync --json
FORGE_AGE=7200 $PY tests/interop/forge.py "$TOP/lync/two.pem" $ISSUER $AUDIENCE string >"$TOP/old"
ok 'a token that has expired is refused with it' says '"reason":"expired".*the partner.s clock is 21[123] s ahead of ours' introspect exch <"$TOP/old"
echo good >"$TOP/lync/mode"

# --- the disk is full: told, and the document in memory counts ---
STATES=$TOP/exch/state/partners
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=32k tmpfs "$STATES" 2>/dev/null; then
    MOUNTED=$STATES
    trap 'umount "$MOUNTED" 2>/dev/null; finish' EXIT
    dd if=/dev/zero of="$STATES/ballast" bs=4096 status=none 2>/dev/null
    publish three
    ok 'a refresh with a full disk succeeds' ctl exch partners refresh lync
    ok 'that it cannot be kept is told' await 5 grep -q 'partner lync: its state cannot be kept in .*: No space left on device' "$TOP/exch/log"
    ok 'the new document counts' says '"active":true' introspect exch < <(token three)
    ok 'tokens are minted' test -n "$(mint exch lync)"
    ok 'once' test "$(grep -c 'its state cannot be kept' "$TOP/exch/log")" = 1
    rm -f "$STATES/ballast"
    ok 'when there is room it is kept again' await 40 grep -q 'partner lync: its state is kept on disk again' "$TOP/exch/log"
    ok 'with the new document' grep -q 'BEGIN\|keyValue' "$STATES/lync.state"
    cp "$STATES/lync.state" "$TOP/kept"
    umount "$STATES"
    trap finish EXIT
    cp "$TOP/kept" "$STATES/lync.state"
else
    skipped=$((skipped + 1)) # only root can make a small disk
    publish three
    ok 'the third key comes' ctl exch partners refresh lync
fi

# --- one byte of the stored document is damaged while we are down ---
stop_node exch
offset=$(grep -a -b -o keyValue "$STATES/lync.state" | tail -n 1 | cut -d: -f1)
printf 'X' | dd of="$STATES/lync.state" bs=1 seek="$offset" conv=notrunc status=none
before=$(gets)
start_node exch || exit 1
ok 'a damaged state is put aside and told' await 10 grep -q 'partner lync: state file is damaged, kept as ' "$TOP/exch/log"
ok 'its evidence stays' sh -c "ls $STATES/lync.state.broken-*"
accepted() { token three | introspect exch | grep -q '"active":true'; }
ok 'the document is fetched at once' await 10 accepted
ok 'by one GET' gets_since "$before" 1 1
