#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Our tokens in other people's libraries, and theirs here (PyJWT, jwcrypto; node's jose where npm can bring it).
. "$(dirname "$0")/lib.sh"
if ! python3 -c 'import jwt, jwcrypto, cryptography' 2>/dev/null; then
    # the interpreter that Debian's packages belong to may not be the first in PATH
    PATH=/usr/bin:$PATH
fi
two_nodes || exit 1
audience="$EXCH_ID/exch.localhost@contoso.example"
mint lync exch >"$TOP/token"
curl -s --cacert "$TOP/ca.pem" "https://lync.localhost:$LYNC_PORT/metadata/json/1" >"$TOP/document"
ok 'PyJWT and jwcrypto verify our token' /usr/bin/python3 tests/interop/judge.py "$TOP/document" "$TOP/token" "$audience"
cat "$TOP/out"
for form in string number mixed; do
    /usr/bin/python3 tests/interop/forge.py "$TOP/lync/keys/current.pem" "$LYNC_ID@contoso.example" "$audience" $form >"$TOP/theirs"
    ok "a token made by PyJWT with $form times is accepted" says '"active":true' introspect exch <"$TOP/theirs"
done
if command -v npm >/dev/null && (cd "$TOP" && npm install --silent --no-audit --no-fund jose >/dev/null 2>&1); then
    cp tests/interop/judge.mjs "$TOP/judge.mjs"
    ok 'node jose verifies our token' node "$TOP/judge.mjs" "$TOP/document" "$TOP/token"
    cat "$TOP/out"
else
    echo "node's jose cannot be installed here: not tried"
fi
