#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Three servers that are one application, each with a key of its own, and a partner that knows them by one list of addresses: a
# token of any is accepted after a fetch from one; one is killed, one changes its key, one is taken out of the pool.
. "$(dirname "$0")/lib.sh"
make_ca ca
members=(p1 p2 p3)
declare -A PORT
for n in "${members[@]}" exch; do PORT[$n]=$(free_port); done
urls=$(for n in "${members[@]}"; do printf 'https://%s.localhost:%s/metadata/json/1 ' "$n" "${PORT[$n]}"; done)
in_pool() { # node, members...: its [Pool] section
    local node=$1
    shift
    printf '\n[Pool]\nCAFile=%s\n' "$TOP/ca.pem"
    for m in "$@"; do printf 'Members=https://%s.localhost:%s/metadata/json/1\n' "$m" "${PORT[$m]}"; done
    printf '\n[Refresh]\nRetryMin=1s\nRetryMax=2s\n'
}
pool_conf() { # node, members...: the configuration as it was written, with this pool
    local node=$1
    shift
    cp "$TOP/$node/base.conf" "$TOP/$node/etc/s2sd.conf"
    in_pool "$node" "$@" >>"$TOP/$node/etc/s2sd.conf"
}
for n in "${members[@]}"; do
    mkdir -p "$TOP/$n/keys"
    make_tls "$TOP/$n/tls" "$n.localhost" ca
    [ "$n" = p1 ] || make_signing_key "$TOP/$n/keys/current.pem" "$n" # p1 makes its keys itself
    configure "$n" $LYNC_ID "${PORT[$n]}"
    sed -i "s/^Hosts=.*/Hosts=pool.localhost p1.localhost p2.localhost p3.localhost/; s,^Source=.*,&\nPublishLead=0," "$TOP/$n/etc/s2sd.conf"
    cp "$TOP/$n/etc/s2sd.conf" "$TOP/$n/base.conf"
    pool_conf "$n" "${members[@]}"
    partner "$n" exch $EXCH_ID "https://exch.localhost:${PORT[exch]}/metadata/json/1"
    sed -i 's/^Allow=.*/& roll/' "$TOP/$n/etc/clients.d/test.conf"
done
mkdir -p "$TOP/exch"
make_tls "$TOP/exch/tls" exch.localhost ca
configure exch $EXCH_ID "${PORT[exch]}"
printf '\n[Log]\nLevel=info\n' >>"$TOP/exch/etc/s2sd.conf"
partner exch pool $LYNC_ID "${urls% }" AudienceHost=pool.localhost

x5t() { openssl x509 -in "$1" -outform der | openssl sha1 -binary | openssl base64 | tr '+/' '-_' | tr -d '=\n'; }
document() { curl -s --cacert "$TOP/ca.pem" --resolve "*:${PORT[$1]}:127.0.0.1" "https://$1.localhost:${PORT[$1]}/${2:-metadata/json/1}"; }
document_keys() { document "$1" | grep -oE '"x5t":"[^"]*"' | sort -u | wc -l; }
has_keys() { [ "$(document_keys "$1")" -eq "$2" ]; }
first_key() { document "$1" | grep -oE '"x5t":"[^"]*"' | head -n 1 | cut -d'"' -f4; }
publishes() { document "$1" | grep -qF "\"x5t\":\"$2\""; } # node x5t
accepted() { says '"active":true' introspect exch <"$1"; }

# --- they find each other, whoever comes first ---
for n in "${members[@]}"; do start_node "$n" || exit 1; done
start_node exch || exit 1
for n in "${members[@]}"; do
    ok "$n publishes the keys of all three" await 15 has_keys "$n" 3
    [ "$n" = p1 ] || ok "$n has its own first" test "$(first_key "$n")" = "$(x5t "$TOP/$n/keys/current.pem")"
    ok "$n says that one of them is its own" says '"s2s_own_keys":1,' document "$n"
    ok "$n has the same keys in its key set" test "$(document "$n" .well-known/jwks.json | grep -oE '"x5c":' | wc -l)" -eq 3
done
all_up() { [ "$(ctl "$1" pool --json | grep -oE '"state":"(self|up)"' | sort | uniq -c | tr -s ' \n' ' ')" = ' 1 "state":"self" 2 "state":"up" ' ]; }
for n in "${members[@]}"; do
    ok "$n asks the others" ctl "$n" pool refresh
    ok "$n knows itself and sees two others" all_up "$n"
done
# --- a partner that has fetched one of them believes each ---
ok 'exch fetches the document' ctl exch partners refresh
for n in "${members[@]}"; do
    ok "$n fetches the document of exch" ctl "$n" partners refresh
    mint "$n" exch >"$TOP/token.$n"
    ok "$n mints" test -s "$TOP/token.$n"
    ok "a token of $n is accepted" accepted "$TOP/token.$n"
done
ok 'exch has asked one of them only' not grep -q 'trying the next address' "$TOP/exch/log"
ok 'a token of a fellow is nothing that a member accepts for us' says '"reason":"unknown_issuer"' introspect p1 <"$TOP/token.p2"

# --- p1 rolls: not before all of the pool publish the new key, and exch has it ---
old=$(first_key p1)
ok 'p1 prepares a key' ctl p1 cert roll --prepare
second_key() { document p1 | grep -oE '"x5t":"[^"]*"' | sed -n 2p | cut -d'"' -f4; }
is_new() { [ -n "$(second_key)" ] && [ "$(second_key)" != "$(x5t "$TOP/p2/keys/current.pem")" ]; }
ok 'p1 publishes it' await 10 is_new
fresh=$(second_key)
ok 'it does not sign: the pool does not know it' says 'of our pool.* does not publish it yet' ctl p1 cert roll --now
ok 'and it is held' says 'does not publish it yet' ctl p1 cert list
for n in p2 p3; do
    ok "$n asks the others" ctl "$n" pool refresh
    ok "$n publishes it" publishes "$n" "$fresh"
done
ok 'p1 sees that' ctl p1 pool refresh
ok 'nothing of the pool stands against it now' not says 'of our pool' ctl p1 cert roll --now
ok 'exch reads it' ctl exch partners refresh
ok 'as its administrator says' ctl p1 partners confirm exch
ok 'now it signs' ctl p1 cert roll --now
rolled() { [ "$(first_key p1)" = "$fresh" ]; }
ok 'and is the first in the document' await 10 rolled
ok 'what signed before is still there' publishes p1 "$old"
mint p1 exch -d min_valid_period=3599 >"$TOP/token.rolled"
names_key() { cut -d. -f1 "$1" | tr -- '-_' '+/' | base64 -d 2>/dev/null | grep -qF -- "$2"; }
ok 'its token names the new key' names_key "$TOP/token.rolled" "$fresh"
ok 'and is accepted' accepted "$TOP/token.rolled"
ok 'one of before too' accepted "$TOP/token.p1"

# --- one is killed: the others go on, its last token too, and exch asks the next ---
kill -9 "${NODE_PID[p1]}"
wait "${NODE_PID[p1]}" 2>/dev/null
unset 'NODE_PID[p1]'
ok 'exch fetches from another one' ctl exch partners refresh
ok 'because the first is away' grep -q 'trying the next address' "$TOP/exch/log"
for n in "${members[@]}"; do ok "a token of $n is still accepted" accepted "$TOP/token.$n"; done
is_away() { ctl "$1" pool refresh --json | tr '{' '\n' | grep "$2.localhost" | grep -q '"state":"away"'; }
ok 'p2 sees that p1 is away' await 20 is_away p2 p1
ok 'and says so with its exit status' status_is 1 ctl p2 pool
cat "$TOP/out"

# --- one changes its key while another is away: at all that are up before it signs ---
make_signing_key "$TOP/p2/keys/next.pem" 'p2 next'
new=$(x5t "$TOP/p2/keys/next.pem")
sed -i "s,^Current=.*,&\nNext=$TOP/p2/keys/next.pem," "$TOP/p2/base.conf"
pool_conf p2 "${members[@]}"
ok 'p2 announces its next key' ctl p2 reload
ok 'p2 publishes it' await 10 publishes p2 "$new"
waits() { ctl p2 pool refresh --json | tr '{' '\n' | grep p3.localhost | grep -q '"publishesNext":false'; }
knows() { ctl p2 pool refresh --json | tr '{' '\n' | grep p3.localhost | grep -q '"publishesNext":true'; }
ok 'p3 does not know it yet, and p2 sees that' waits
ok 'p3 asks' ctl p3 pool refresh
ok 'p3 publishes it' publishes p3 "$new"
ok 'p2 sees that' await 10 knows
ok 'exch reads it' ctl exch partners refresh
sed -i "/^Next=/d; s,^Current=.*,Current=$TOP/p2/keys/next.pem," "$TOP/p2/base.conf"
pool_conf p2 "${members[@]}"
ok 'p2 signs with it' ctl p2 reload
with_new_key() { mint p2 exch -d min_valid_period=3599 >"$TOP/token.new" && names_key "$TOP/token.new" "$new"; }
ok 'its token says so' await 10 with_new_key
ok 'and is accepted' accepted "$TOP/token.new"
ok 'one of before too' accepted "$TOP/token.p2"

# --- the one that was killed comes back and learns what it missed; what it knew it still knows ---
start_node p1
ok 'p1 knows the new key' await 15 publishes p1 "$new"
ok 'p1 has its own first' rolled
ok 'p2 sees it again' await 15 sh -c "'$BIN/s2sctl' --runtime-dir='$TOP/p2/run' pool refresh"

# --- one is taken out: gone at once and for good, though it still believes itself a member ---
gone=$(x5t "$TOP/p3/keys/current.pem")
for n in p1 p2; do
    pool_conf "$n" p1 p2
    ok "$n reloads" ctl "$n" reload
    ok "$n does not publish p3's key any more" await 5 not publishes "$n" "$gone"
done
for n in p1 p2; do
    ctl "$n" pool refresh >/dev/null
    ok "$n does not learn it again from anybody" not publishes "$n" "$gone"
    ok "$n has forgotten it on disk too" not grep -rq "p3.localhost" "$TOP/$n/state/pool"
done
ok 'exch reads that' ctl exch partners refresh
refused() { says '"reason":"unknown_key"' introspect exch <"$TOP/token.p3"; }
ok 'a token of p3 is refused' await 10 refused
ok 'one of p1 is accepted' accepted "$TOP/token.p1"

# --- for partners that read the first key only: all sign with one key, carried over sealed ---
PORT[p4]=$(free_port)
mkdir -p "$TOP/p4"
make_tls "$TOP/p4/tls" p4.localhost ca
configure p4 $LYNC_ID "${PORT[p4]}"
sed -i "s/^Hosts=.*/Hosts=pool.localhost p1.localhost p4.localhost/; s,^Source=.*,&\nPublishLead=0," "$TOP/p4/etc/s2sd.conf"
sed -i 's/^Allow=.*/& roll force/' "$TOP/p4/etc/clients.d/test.conf"
cp "$TOP/p4/etc/s2sd.conf" "$TOP/p4/base.conf"
sed -i 's/^Hosts=.*/& p4.localhost/' "$TOP/p1/base.conf" # a change of Hosts= needs a restart
for n in p1 p4; do pool_conf "$n" p1 p4; done
stop_node p1
start_node p1
start_node p4
ok 'p4 knows p1' await 15 publishes p4 "$fresh"
(umask 077 && echo 'a password of twelve' >"$TOP/password")
ok 'p1 seals its key' ctl p1 cert export --sealed "$TOP/common.pfx" --password-file "$TOP/password"
ok 'p4 takes it as its next' ctl p4 cert assign "$TOP/common.pfx" --password-file "$TOP/password"
ok 'p4 sees that p1 publishes it' ctl p4 pool refresh
ok 'it signs' ctl p4 cert roll --now
same_first() { [ "$(first_key p4)" = "$fresh" ] && [ "$(first_key p1)" = "$fresh" ]; }
ok 'both have the same key first' await 10 same_first
once() { [ "$(document p4 | grep -oF "\"x5t\":\"$fresh\"" | wc -l)" -eq 1 ]; }
ok 'and publish it once' once
ok 'they are two members all the same' says '"state":"up"' ctl p4 pool refresh --json

# --- mistakes are named with file and line ---
sed -i 's,^Members=https://p4\(.*\)$,&\nMembers=https://P4\1,' "$TOP/p1/etc/s2sd.conf"
ok 'a member twice' says 's2sd.conf:[0-9]+: \[Pool\] Members=: .* is there already' ctl p1 config check --config-dir="$TOP/p1/etc"
