# SPDX-License-Identifier: Apache-2.0
# Sourced by the system tests: throw-away certificates, two configurations, real programs under --all. Each check is one line;
# the script closes with 'N passed, N failed' and leaves nothing behind.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# Programs under test: those of the variant that make runs (B), plain ones by default.
BIN=${B:-build}
TOP=$(mktemp -d)
chmod 755 "$TOP"
passed=0 failed=0 skipped=0
declare -A NODE_PID=()
EXTRA_PIDS=()

LYNC_ID=00000004-0000-0ff1-ce00-000000000000
EXCH_ID=00000002-0000-0ff1-ce00-000000000000

ok() { # description command...: passes when the command succeeds
    local what=$1
    shift
    if "$@" >"$TOP/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        echo "  command: $*"
        sed 's/^/  | /' "$TOP/out" | tail -n 15
    fi
}
not() { ! "$@"; }
says() { # pattern command...: the command's output (whatever its status) matches
    local pattern=$1
    shift
    "$@" >"$TOP/says" 2>&1
    cat "$TOP/says"
    grep -qE -- "$pattern" "$TOP/says"
}
status_is() { # N command...: exit status is N
    local want=$1 got
    shift
    "$@"
    got=$?
    [ "$got" -eq "$want" ] || { echo "exit status $got, want $want"; return 1; }
}
finish() {
    for n in "${!NODE_PID[@]}"; do stop_node "$n"; done
    for p in ${EXTRA_PIDS[@]+"${EXTRA_PIDS[@]}"}; do kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; done
    if [ "$failed" -gt 0 ]; then
        for l in "$TOP"/*/log; do
            [ -f "$l" ] && { echo "--- ${l#"$TOP"/}:"; tail -n 25 "$l"; }
        done
    fi
    # a sanitizer's report in any log is a failure of its own
    if grep -lE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$TOP"/*/log* 2>/dev/null; then
        grep -hE -A 12 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$TOP"/*/log* | head -n 60
        failed=$((failed + 1))
    fi
    rm -rf "$TOP"
    if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
    exit $((failed > 0))
}
trap finish EXIT
trap 'exit 130' INT TERM

free_port() { # prints a TCP port nobody listens on, outside the ephemeral range
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
    done
}
await() { # seconds command...: until it succeeds; polls, since another process' state is what is awaited
    local limit=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -ge $limit ] && return 1
        read -r -t 0.05 <> <(:) || true
    done
}

make_ca() { # NAME
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign -keyout "$TOP/$1.key" -out "$TOP/$1.pem" 2>/dev/null
}
make_tls() { # FILE HOST CA: FILE.pem and FILE.key
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$TOP/$3.pem" -CAkey "$TOP/$3.key" -days 2 -CAcreateserial \
        -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$2") \
        -out "$1.pem" 2>/dev/null
    chmod 600 "$1.key"
}
make_signing_key() { # FILE [CN]
    (umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=${2:-signing}" -keyout "$1.k" -out "$1.c" 2>/dev/null &&
        cat "$1.k" "$1.c" >"$1" && rm -f "$1.k" "$1.c")
}
configure() { # node appid port; the signing source is managed unless $TOP/node/keys/current.pem exists
    local keys=Source=managed
    mkdir -p "$TOP/$1/etc/partners.d" "$TOP/$1/etc/clients.d" "$TOP/$1/run" "$TOP/$1/state"
    chmod 700 "$TOP/$1/run" "$TOP/$1/state"
    [ -f "$TOP/$1/keys/current.pem" ] && keys="Source=files
Current=$TOP/$1/keys/current.pem
PublishLead=0"
    cat >"$TOP/$1/etc/s2sd.conf" <<CONF
[Identity]
ApplicationId=$2
Realm=contoso.example
Name=$1
Hosts=$1.localhost

[Metadata]
URL=https://$1.localhost:$3/metadata/json/1

[SigningKey]
$keys

[TLS]
Certificate=$TOP/$1/tls.pem
PrivateKey=$TOP/$1/tls.key

[Listen]
HTTPS=127.0.0.1:$3
CONF
    cat >"$TOP/$1/etc/clients.d/test.conf" <<CONF
[Client test]
User=$(id -un)
Allow=mint validate explain status refresh reload
Delegation=yes
ActAs=*@contoso.example
ActAs=*@fabrikam.example
CONF
}
partner() { # node name appid url [further lines]
    cat >"$TOP/$1/etc/partners.d/$2.conf" <<CONF
[Partner $2]
MetadataURL=$4
ApplicationId=$3
Realm=contoso.example
Trust=full
PermittedUsers=*@contoso.example
CAFile=$TOP/ca.pem
${5:-}
CONF
}
start_node() { # node
    "$BIN/s2sd" --all --config-dir="$TOP/$1/etc" --runtime-dir="$TOP/$1/run" --state-dir="$TOP/$1/state" >>"$TOP/$1/log" 2>&1 &
    NODE_PID[$1]=$!
    await 30 node_ready "$1" || { echo "node $1 does not get ready"; failed=$((failed + 1)); return 1; }
}
node_ready() {
    curl -sf --unix-socket "$TOP/$1/run/validate.sock" http://localhost/readyz &&
        curl -sf --unix-socket "$TOP/$1/run/mint.sock" http://localhost/readyz
}
stop_node() { # node
    [ -n "${NODE_PID[$1]:-}" ] || return 0
    kill "${NODE_PID[$1]}" 2>/dev/null
    wait "${NODE_PID[$1]}" 2>/dev/null
    unset "NODE_PID[$1]"
}
ctl() { # node arguments...
    local node=$1
    shift
    "$BIN/s2sctl" --runtime-dir="$TOP/$node/run" "$@"
}
mint() { # node resource [further -d arguments]: the token on standard output
    local node=$1 resource=$2
    shift 2
    curl -sf --unix-socket "$TOP/$node/run/mint.sock" -d grant_type=client_credentials -d "resource=$resource" "$@" http://localhost/token |
        sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}
introspect() { # node, token on standard input
    tr -d "\n" | curl -s --unix-socket "$TOP/$1/run/validate.sock" --data-urlencode token@- -d explain=1 http://localhost/introspect
}
two_nodes() { # lync and exch, partners of each other, started and refreshed
    LYNC_PORT=$(free_port)
    EXCH_PORT=$(free_port)
    make_ca ca
    mkdir -p "$TOP/lync/keys" "$TOP/exch"
    make_tls "$TOP/lync/tls" lync.localhost ca
    make_tls "$TOP/exch/tls" exch.localhost ca
    [ "${LYNC_KEYS:-files}" = files ] && make_signing_key "$TOP/lync/keys/current.pem" "Lync OAuth"
    configure lync $LYNC_ID "$LYNC_PORT"
    configure exch $EXCH_ID "$EXCH_PORT"
    partner lync exch $EXCH_ID "https://exch.localhost:$EXCH_PORT/autodiscover/metadata/json/1"
    partner exch lync $LYNC_ID "https://lync.localhost:$LYNC_PORT/metadata/json/1"
    start_node lync && start_node exch || return 1
    ok 'lync fetches the document of exch' ctl lync partners refresh
    ok 'exch fetches the document of lync' ctl exch partners refresh
}
