#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Continuity=signed between two real servers: first contact, a rollover that needs nobody, a site with other keys that is held
# back until an administrator approves it; PinnedKeys=.
. "$(dirname "$0")/lib.sh"
LYNC_PORT=$(free_port)
EXCH_PORT=$(free_port)
make_ca ca
mkdir -p "$TOP/lync/keys" "$TOP/exch"
make_tls "$TOP/lync/tls" lync.localhost ca
make_tls "$TOP/exch/tls" exch.localhost ca
make_signing_key "$TOP/lync/keys/current.pem" one
make_signing_key "$TOP/lync/keys/next.pem" two
make_signing_key "$TOP/lync/keys/stolen.pem" three
configure lync $LYNC_ID "$LYNC_PORT"
configure exch $EXCH_ID "$EXCH_PORT"
sed -i '/^Current=/a PublishLead=0' "$TOP/lync/etc/s2sd.conf"
sed -i '/^\[Metadata\]/a Signed=yes' "$TOP/lync/etc/s2sd.conf"
partner lync exch $EXCH_ID "https://exch.localhost:$EXCH_PORT/metadata/json/1"
partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1" Continuity=signed
printf 'Allow=bar approve\n' >>"$TOP/exch/etc/clients.d/test.conf"
start_node lync && start_node exch || exit 1

document() { curl -sf --cacert "$TOP/ca.pem" --resolve "lync.localhost:$LYNC_PORT:127.0.0.1" "https://lync.localhost:$LYNC_PORT/metadata/json/1"; }
claim() { # name: of the signature of lync's document, as JSON
    document | python3 -c '
import base64, json, sys
part = json.load(sys.stdin)["signed_metadata"].split(".")[1]
print(json.dumps(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))[sys.argv[1]]))' "$1"
}
thumb() { openssl x509 -in "$TOP/lync/keys/$1.pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g'; }
believed() { # pattern: what exch says to a token that lync mints now
    mint lync exch >"$TOP/token"
    says "$1" introspect exch <"$TOP/token"
}
refresh() { ctl exch partners refresh lync; }

# --- our own document ---
ok 'the document carries its signature' says '"signed_metadata":"ey' document
ok 'which names the issuer' says "\"$LYNC_ID@contoso.example\"" claim iss
ok 'and one key' says '^\["[A-Za-z0-9_-]{43}"\]$' claim keys
FIRST=$(claim seq)

# --- first contact ---
ok 'without Expect= it is held' says 'document_held' ctl exch partners show lync --json
ok 'with the thumbprint that it holds' says "\"$(thumb current)\"" ctl exch partners show lync --json
ok 'nothing of it is believed' believed '"active":false'
ok 'approve' says 'is taken' ctl exch partners approve lync
ok 'now it is' believed '"active":true'
ok 'and it is a good document' status_is 0 refresh
ok 'there is nothing more to approve' status_is 1 ctl exch partners approve lync

# --- a rollover ---
sed -i "s|^PublishLead=0|&\nNext=$TOP/lync/keys/next.pem|" "$TOP/lync/etc/s2sd.conf"
ok 'lync announces its next key' ctl lync reload
ok 'signed anew' says ',' claim keys
ok 'with a higher sequence' test "$(claim seq)" -gt "$FIRST"
ok 'exch takes it' status_is 0 refresh
mv "$TOP/lync/keys/current.pem" "$TOP/lync/keys/previous.pem"
mv "$TOP/lync/keys/next.pem" "$TOP/lync/keys/current.pem"
sed -i '/^Next=/d' "$TOP/lync/etc/s2sd.conf"
ok 'lync rolls' ctl lync reload
ok 'exch takes it without anybody' status_is 0 refresh
ok 'and believes the new key' believed '"active":true'
ok 'which has signed' says '"active":true' introspect exch <"$TOP/token"

# --- the site in other hands: everything is right but the keys ---
stop_node lync
mv "$TOP/lync/keys/current.pem" "$TOP/lync/keys/true.pem"
mv "$TOP/lync/keys/stolen.pem" "$TOP/lync/keys/current.pem"
rm -rf "$TOP/lync/state"
mkdir -m 700 "$TOP/lync/state"
start_node lync || exit 1
ok 'exch does not take it' status_is 1 refresh
ok 'and says so loudly' grep -q 'partner lync: The document is held back' "$TOP/exch/log"
ok 'its token is not believed' believed '"active":false'
ok 'the list shows that something is held' says '"held":[[:space:]]*true' ctl exch partners --json
ok 'approve it after all' says "is taken; its keys are now $(thumb current)" ctl exch partners approve lync
ok 'its token is believed' believed '"active":true'
ok 'all keys at once are an alarm' grep -q 'all were replaced at once' "$TOP/exch/log"
ok 'the history tells who' says "approved by uid $(id -u)" ctl exch partners show lync

# --- pins ---
partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1" "Continuity=pinned
PinnedKeys=$(thumb true)"
ok 'pins come with a reload' ctl exch reload
ok 'the other key counts no more at once' believed '"active":false'
ok 'its document holds none of them' status_is 1 refresh
ok 'and says so' says 'document_not_pinned' ctl exch partners show lync --json
partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1" "Continuity=pinned
PinnedKeys=$(thumb current)"
ok 'the right pin' ctl exch reload
ok 'makes it good' await 10 believed '"active":true'
