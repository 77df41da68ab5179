#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two servers trust each other over real TLS: documents, tokens of each kind, refusals, a key change while tokens keep working.
. "$(dirname "$0")/lib.sh"
two_nodes || exit 1

public() { curl -s --cacert "$TOP/ca.pem" "$@"; }
doc() { echo "https://exch.localhost:$EXCH_PORT$1"; }

# --- public door (DESIGN 6) ---
for path in /metadata/json/1 /autodiscover/metadata/json/1 /_layouts/15/metadata/json/1 /Metadata/JSON/1/; do
    ok "document at $path" says '"issuer":"00000002-0000-0ff1-ce00-000000000000@contoso.example"' public "$(doc $path)"
done
ok 'all aliases serve the same bytes' cmp <(public "$(doc /metadata/json/1)") <(public "$(doc /_layouts/15/metadata/json/1)")
ok 'discovery' says '"jwks_uri":"https://exch.localhost:[0-9]+/.well-known/jwks.json"' public "$(doc /.well-known/openid-configuration)"
ok 'key set' says '"kty":"RSA"' public "$(doc /.well-known/jwks.json)"
etag=$(public -D - -o /dev/null "$(doc /metadata/json/1)" | sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p')
ok 'a strong ETag is sent' says '^"[^"]+"$' echo "$etag"
ok '304 for the ETag' says '^304$' public -o /dev/null -w '%{http_code}\n' -H "If-None-Match: $etag" "$(doc /metadata/json/1)"
ok 'HEAD has the length and no body' says '^200 0$' public -I -o /dev/null -w '%{http_code} %{size_download}\n' "$(doc /metadata/json/1)"
ok 'POST is 405 with Allow' says '^[Aa]llow: GET, HEAD' public -D - -X POST -d '' "$(doc /metadata/json/1)"
ok 'an unknown path is 404 in JSON' says '^404 application/json' public -o /dev/null -w '%{http_code} %{content_type}\n' "$(doc /nothing)"
ok 'empty Bearer gets the challenge' says '^[Ww][Ww][Ww]-[Aa]uthenticate: Bearer .*client_id="00000002-0000-0ff1-ce00-000000000000".*trusted_issuers="00000004-0000-0ff1-ce00-000000000000@contoso.example"' \
    public -D - -o /dev/null -H 'Authorization: Bearer ' "$(doc /EWS/Exchange.asmx)"
ok 'a foreign Host is 421' says '^421$' public -o /dev/null -w '%{http_code}\n' -H 'Host: evil.example' "$(doc /metadata/json/1)"

# --- tokens ---
mint lync exch >"$TOP/token"
ok 'a token was minted' test -s "$TOP/token"
ok 'it is accepted' says '"active":true' introspect exch <"$TOP/token"
ok 'it is reused' cmp <(mint lync exch) "$TOP/token"
ok 'the issuer is named' says '"iss":"00000004-0000-0ff1-ce00-000000000000@contoso.example"' introspect exch <"$TOP/token"
ok 'the minter itself refuses it: not meant for it' says '"active":false.*"reason":"unknown_issuer"' introspect lync <"$TOP/token"
ok 's2sctl verifies it' ctl exch token verify "$TOP/token"
ctl lync token mint exch --user alice@contoso.example >"$TOP/user"
ok 'a user token ends with a dot' says '\.$' cat "$TOP/user"
ok 'it is accepted for the user' says '"active":true.*"upn":"alice@contoso.example"' introspect exch <"$TOP/user"
ctl lync token mint exch --user eve@fabrikam.example >"$TOP/eve"
ok 'a user outside PermittedUsers is refused' says '"active":false.*"reason":"user_refused"' introspect exch <"$TOP/eve"
ok 's2sctl says so with exit status 1' status_is 1 ctl exch token verify "$TOP/eve"
ok 'ActAs does not cover another domain' not ctl lync token mint exch --user root@other.example
ok 'token exchange over HTTP' says '"issued_token_type"' curl -s --unix-socket "$TOP/lync/run/mint.sock" \
    -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange -d resource=exch -d subject_token=alice@contoso.example \
    -d subject_token_type=urn:s2sd:params:oauth:token-type:upn http://localhost/token
ok 'an unknown resource is invalid_target' says '"error":"invalid_target"' curl -s --unix-socket "$TOP/lync/run/mint.sock" \
    -d grant_type=client_credentials -d resource=nowhere.example http://localhost/token
ok 'through a proxy is refused' says '"error":"(access_denied|invalid_request)"' curl -s --unix-socket "$TOP/lync/run/mint.sock" -H 'Via: 1.1 x' \
    -d grant_type=client_credentials -d resource=exch http://localhost/token
ok 'no-store' says '^[Cc]ache-[Cc]ontrol: no-store' curl -s -D - -o /dev/null --unix-socket "$TOP/lync/run/mint.sock" -d grant_type=client_credentials -d resource=exch http://localhost/token
IFS=. read -r head claims _ <"$TOP/token"
printf '%s.%s.%s' "$head" "$claims" "$(openssl rand 256 | openssl base64 -A | tr '+/' '-_' | tr -d =)" >"$TOP/forged"
ok 'a forged signature is named' says '"active":false.*"reason":"invalid_signature"' introspect exch <"$TOP/forged"
ok 'its diagnostics are those of the products' says '2000000;reason=' introspect exch <"$TOP/forged"

# --- a key change with Source=files: nothing breaks, before, between, after ---
make_signing_key "$TOP/lync/keys/next.pem" "Lync OAuth 2"
sed -i "/^Current=/a Next=$TOP/lync/keys/next.pem" "$TOP/lync/etc/s2sd.conf"
ok 'reload announces the next key' ctl lync reload
ok 'both are published, the signing one first' says '^2$' sh -c "curl -s --cacert $TOP/ca.pem https://lync.localhost:$LYNC_PORT/metadata/json/1 | grep -o x509Certificate | wc -l"
ok 'exch learns it' ctl exch partners refresh
mv "$TOP/lync/keys/next.pem" "$TOP/lync/keys/current.pem"
sed -i '/^Next=/d' "$TOP/lync/etc/s2sd.conf"
ok 'reload swaps the keys' ctl lync reload
mint lync exch -d min_valid_period=3595 >"$TOP/new"
ok 'the new token is another' not cmp "$TOP/new" "$TOP/token"
ok 'the new key is accepted' says '"active":true' introspect exch <"$TOP/new"
ok 'the old token still is' says '"active":true' introspect exch <"$TOP/token"
ok 'the old key is still published' says '^2$' sh -c "curl -s --cacert $TOP/ca.pem https://lync.localhost:$LYNC_PORT/metadata/json/1 | grep -o x509Certificate | wc -l"
# an unannounced key: the first token makes exch fetch, and is accepted
make_signing_key "$TOP/lync/keys/current.pem" "Lync OAuth 3"
ok 'reload takes a key nobody has seen' ctl lync reload
mint lync exch -d min_valid_period=3595 >"$TOP/unannounced"
ok 'the same request waits for the new document' says '"active":true' introspect exch <"$TOP/unannounced"

# --- a reload that must not happen ---
echo 'Colour=blue' >>"$TOP/lync/etc/clients.d/test.conf"
ok 'a broken file refuses the reload, naming file and line' says 'test.conf:[0-9]+: ' ctl lync reload
ok 'the old configuration stays in force' says '"active":true' introspect exch <"$TOP/new"
