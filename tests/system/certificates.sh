#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Certificates that an administrator brings: a request answered by an authority, PKCS#12 of several makes, a key that is sealed
# on one server and brought to another; and what is refused.
. "$(dirname "$0")/lib.sh"

port=$(free_port)
make_ca ca
for node in exch other; do
    mkdir -p "$TOP/$node"
    make_tls "$TOP/$node/tls" "$node.localhost" ca
    configure "$node" $EXCH_ID "$port"
    start_node "$node"
    port=$((port + 1))
done
printf 'correct horse\n' >"$TOP/word"
printf 'wrong horse\n' >"$TOP/wrong"
printf 'short\n' >"$TOP/short"

thumbprint_of() { # FILE in PEM: 40 digits
    openssl x509 -in "$1" -noout -fingerprint -sha1 | tr -d : | sed 's/.*=//'
}
state_of() { # node thumbprint
    ctl "$1" cert list --json | tr '{' '\n' | grep "\"$2\"" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p' | head -n 1
}
is_state() { # node thumbprint state
    [ "$(state_of "$1" "$2")" = "$3" ]
}
becomes_next() { # what node thumbprint
    ok "$1: it is shown as next" await 5 is_state "$2" "$3" next
    ok "$1: it is in the document" await 5 in_document "$2" "$3"
}
in_document() { # node thumbprint
    local x5t
    x5t=$(printf %s "$2" | sed 's/../\\x&/g' | xargs -0 printf | openssl base64 | tr -d '=\n' | tr '+/' '-_')
    curl -sf --cacert "$TOP/ca.pem" "$(sed -n 's/^URL=//p' "$TOP/$1/etc/s2sd.conf")" | grep -qF "$x5t"
}
take_back() { # node: the next key goes, so that there is room for another
    ok 'the next key is taken back' ctl "$1" cert roll --abort
}
signs() { # node thumbprint
    is_state "$1" "$2" current
}

# --- a request, an authority, its certificate -------------------------------------------------------------------------
ok 'a request is made' ctl exch cert request --name signing.contoso.example
sed -n '/BEGIN/,/END/p' "$TOP/out" >"$TOP/request.csr"
ok 'openssl finds its signature right' openssl req -in "$TOP/request.csr" -verify -noout
ok 'it asks for the name' says 'CN ?= ?signing.contoso.example' openssl req -in "$TOP/request.csr" -noout -subject
ok 'the key waits for the signer alone' [ "$(stat -c %a "$TOP"/exch/state/signer/keys/request-*.pem)" = 400 ]
openssl x509 -req -in "$TOP/request.csr" -CA "$TOP/ca.pem" -CAkey "$TOP/ca.key" -set_serial 77 -days 300 -out "$TOP/issued.pem" 2>/dev/null
cat "$TOP/issued.pem" "$TOP/ca.pem" >"$TOP/chain.pem"
issued=$(thumbprint_of "$TOP/issued.pem")
ok 'another server has no key for it' says 'certificate_alone' status_is 1 ctl other cert assign "$TOP/chain.pem"
ok 'a dry run says what would be' says 'Nothing was changed' ctl exch cert assign "$TOP/chain.pem" --dry-run
ok 'and changes nothing' [ -z "$(state_of exch "$issued")" ]
ok 'the certificate is brought' says "$issued" ctl exch cert assign "$TOP/chain.pem"
becomes_next 'by request' exch "$issued"
ok 'no key waits any more' not ls "$TOP"/exch/state/signer/keys/request-*.pem
ok 'it does not sign yet' not signs exch "$issued"
take_back exch

# --- PKCS#12 ----------------------------------------------------------------------------------------------------------
bring() { # name openssl-pkcs12-options...: a new key as .pfx
    local name=$1 thumbprint
    shift
    openssl req -x509 -newkey rsa:2048 -nodes -days 300 -subj "/CN=$name" -keyout "$TOP/$name.key" -out "$TOP/$name.pem" 2>/dev/null
    openssl pkcs12 -export -inkey "$TOP/$name.key" -in "$TOP/$name.pem" -certfile "$TOP/ca.pem" -passout "file:$TOP/word" \
        -out "$TOP/$name.pfx" "$@" || return
    chmod 600 "$TOP/$name.pfx"
    thumbprint=$(thumbprint_of "$TOP/$name.pem")
    ok "$name: a wrong password is told" says 'wrong_password' status_is 1 ctl exch cert assign "$TOP/$name.pfx" --password-file "$TOP/wrong"
    ok "$name: is brought" says "$thumbprint" ctl exch cert assign "$TOP/$name.pfx" --password-file "$TOP/word"
    becomes_next "$name" exch "$thumbprint"
    take_back exch
}
bring modern
bring modern-strong -iter 150000 -macalg sha512
if openssl pkcs12 -export -legacy -inkey "$TOP/ca.key" -in "$TOP/ca.pem" -passout pass:x -out "$TOP/rc2.pfx" 2>/dev/null; then
    bring legacy-3des -legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
    printf 'x\n' >"$TOP/x"
    ok 'RC2-40 is refused with a way out' says 'openssl pkcs12 -legacy' status_is 1 ctl exch cert assign "$TOP/rc2.pfx" --password-file "$TOP/x"
else
    bring legacy-3des -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
fi
ok 'a pipe does as well as a file' says "$(thumbprint_of "$TOP/modern.pem")" \
    bash -c 'cat "$1" | "$2" --runtime-dir="$3" cert assign - --password-file "$4"' - "$TOP/modern.pfx" "$BIN/s2sctl" "$TOP/exch/run" "$TOP/word"
take_back exch
cat "$TOP/modern.key" "$TOP/modern.pem" >"$TOP/open.pem"
ok 'whoever leaves a key open is told' says 'others may read' ctl exch cert assign "$TOP/open.pem" --effective +60d --dry-run

# --- from one server to another ---------------------------------------------------------------------------------------
ok 'the certificate that signs is printed' ctl exch cert export
cp "$TOP/out" "$TOP/current.pem"
current=$(thumbprint_of "$TOP/current.pem")
ok 'it is the one in the list' signs exch "$current"
ok 'a short password is refused' says 'password_short' status_is 1 ctl exch cert export --sealed "$TOP/sealed.pfx" --password-file "$TOP/short"
ok 'and leaves no file' not test -e "$TOP/sealed.pfx"
ok 'key and certificate are sealed' says "$current" ctl exch cert export --sealed "$TOP/sealed.pfx" --password-file "$TOP/word"
ok 'the file is for us alone' [ "$(stat -c %a "$TOP/sealed.pfx")" = 600 ]
ok 'nothing is overwritten' says 'exists' status_is 1 ctl exch cert export --sealed "$TOP/sealed.pfx" --password-file "$TOP/word"
ok 'openssl opens it, and finds AES-256 and many rounds' says 'PBES2, PBKDF2, AES-256-CBC, Iteration [1-9][0-9]{5}, PRF hmacWithSHA256' \
    openssl pkcs12 -in "$TOP/sealed.pfx" -passin "file:$TOP/word" -info -noout
ok 'the other server takes it' says "$current" ctl other cert assign "$TOP/sealed.pfx" --password-file "$TOP/word"
becomes_next 'sealed' other "$current"

# --- refused ----------------------------------------------------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ec -keyout "$TOP/ec.key" -out "$TOP/ec.crt" 2>/dev/null
cat "$TOP/ec.key" "$TOP/ec.crt" >"$TOP/ec.pem"
openssl pkcs12 -export -inkey "$TOP/ec.key" -in "$TOP/ec.crt" -passout "file:$TOP/word" -out "$TOP/ec.pfx"
ok 'an EC key is refused' says 'key_type' status_is 1 ctl exch cert assign "$TOP/ec.pem"
ok 'in a .pfx too' says 'key_type' status_is 1 ctl exch cert assign "$TOP/ec.pfx" --password-file "$TOP/word"

mkdir "$TOP/old" && : >"$TOP/old/index" && echo 01 >"$TOP/old/serial"
cat >"$TOP/old/ca.conf" <<CONF
[ca]
default_ca=old
[old]
database=$TOP/old/index
serial=$TOP/old/serial
new_certs_dir=$TOP/old
default_md=sha256
policy=any
[any]
commonName=supplied
CONF
openssl req -new -newkey rsa:2048 -nodes -subj /CN=old -keyout "$TOP/old.key" -out "$TOP/old.csr" 2>/dev/null
openssl ca -batch -config "$TOP/old/ca.conf" -selfsign -keyfile "$TOP/old.key" -in "$TOP/old.csr" -notext \
    -startdate 20240101000000Z -enddate 20240201000000Z -out "$TOP/old.crt" 2>/dev/null
cat "$TOP/old.key" "$TOP/old.crt" >"$TOP/old.pem"
ok 'the old certificate was made' openssl x509 -in "$TOP/old.crt" -noout
ok 'an expired certificate is refused' says 'roll_refused' status_is 1 ctl exch cert assign "$TOP/old.pem"
ok 'no date in the past' status_is 2 ctl exch cert assign "$TOP/modern.pfx" --password-file "$TOP/word" --effective 2024-01-01
ok 'no file' says 'cannot read' status_is 1 ctl exch cert assign "$TOP/nowhere.pem"
head -c 200000 /dev/zero >"$TOP/huge.pem"
ok 'no huge file' says 'larger than' status_is 1 ctl exch cert assign "$TOP/huge.pem"

if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$TOP/exch/run" && chmod 666 "$TOP/exch/run/io.s2sd.keys"
    as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
    cp "$BIN/s2sctl" "$TOP/s2sctl"
    ok 'another user is turned away, though the socket is open' says 'Only root' status_is 4 \
        as_nobody "$TOP/s2sctl" --runtime-dir="$TOP/exch/run" cert request
    ok 'and it is recorded' grep -q 'uid 65534 process [0-9]* may not bring or take keys' "$TOP/exch/log"
fi

# keys that are files of the administrator stay files of the administrator
mkdir -p "$TOP/files/keys"
make_signing_key "$TOP/files/keys/current.pem" files
make_tls "$TOP/files/tls" files.localhost ca
configure files $EXCH_ID "$port"
start_node files
ok 'Source=files takes no key by the door' says 'name the next one in Next=' status_is 1 ctl files cert assign "$TOP/modern.pfx" --password-file "$TOP/word"
ok 'and gives none' status_is 1 ctl files cert export --sealed "$TOP/files.pfx" --password-file "$TOP/word"
ok 'but its certificate' says 'BEGIN CERTIFICATE' ctl files cert export

# --- what was said ----------------------------------------------------------------------------------------------------
ok 'every use has its record' grep -q "assign of a signing key by uid $(id -u) process [0-9]*, thumbprint $issued: done" "$TOP/exch/log"
ok 'also that a key was taken away' grep -q "export of a signing key .*$current: done; with its private key" "$TOP/exch/log"
ok 'no password and no key in any log' not grep -rqE 'horse|PRIVATE KEY' "$TOP/exch/log" "$TOP/other/log"
ok 'the first key signs all along' signs exch "$current"
