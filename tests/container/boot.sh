#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The units in a real systemd: installs into a Debian root, boots it in a container, starts s2sd as an administrator would and looks at
# the walls from inside. Needs root, systemd-nspawn and mmdebstrap; elsewhere it counts as one skipped test.
set -u
cd "$(dirname "$0")/../.." || exit 1
if [ "$(id -u)" -ne 0 ] || ! command -v systemd-nspawn >/dev/null || ! command -v mmdebstrap >/dev/null; then
    echo "container: needs root, systemd-nspawn and mmdebstrap"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
BIN=${B:-build}
cache=build/container
root=$(mktemp -d /var/tmp/s2sd-root.XXXXXX)
passed=0 failed=0 leader= nspawn=

ok() { # description command...
    local what=$1
    shift
    if "$@" >"$root.out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        sed 's/^/  | /' "$root.out" | tail -n 15
    fi
}
not() { ! "$@"; }
says() {
    local pattern=$1
    shift
    "$@" >"$root.says" 2>&1
    cat "$root.says"
    grep -qE -- "$pattern" "$root.says"
}
inside() { nsenter -t "$leader" -a "$@"; }
await() { # seconds command...
    local limit=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -ge $limit ] && return 1
        read -r -t 0.05 <> <(:) || true
    done
}
finish() {
    if [ "$failed" -gt 0 ] && [ -n "$leader" ]; then
        inside journalctl --no-pager -n 60 -u 's2sd*' -u exch 2>/dev/null | tail -n 60
    fi
    [ -n "$leader" ] && inside systemctl poweroff >/dev/null 2>&1
    [ -n "$nspawn" ] && { await 10 not kill -0 "$nspawn" || kill -9 "$nspawn"; wait "$nspawn" 2>/dev/null; }
    rm -rf "$root" "$root.out" "$root.says" "$root.log" "$root.pki"
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}
trap finish EXIT
trap 'exit 130' INT TERM

# --- the root: made once, copied for each run ---
packages=systemd,systemd-sysv,dbus,libevent-2.1-7,libevent-core-2.1-7,libevent-openssl-2.1-7,libssl3,libyajl2,libsystemd0,libcurl4,curl,openssl
if [ ! -e "$cache/root/etc/os-release" ]; then
    mkdir -p "$cache"
    rm -rf "$cache/root.new"
    if ! mmdebstrap --quiet --variant=apt --include=$packages bookworm "$cache/root.new" >"$cache/log" 2>&1; then
        tail -n 15 "$cache/log"
        failed=1
        exit 1
    fi
    mv "$cache/root.new" "$cache/root"
fi
cp -a "$cache/root/." "$root/"
make -s B="$BIN" install DESTDIR="$root" PREFIX=/usr >"$root.log" 2>&1 || { cat "$root.log"; failed=1; exit 1; }

# --- configuration: lync as the installed service, exch as a second instance in one transient unit ---
port=18843 exch_port=18844
pki=$root/srv/pki
mkdir -p "$pki" "$root/etc/s2sd/tls" "$root/srv/exch/etc/partners.d" "$root/srv/exch/etc/clients.d"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=test CA" -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign -keyout "$pki/ca.key" -out "$pki/ca.pem" 2>/dev/null
tls() { # host folder
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2/privkey.pem" -out "$pki/csr" 2>/dev/null
    openssl x509 -req -in "$pki/csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -days 2 -CAcreateserial \
        -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$1") \
        -out "$2/fullchain.pem" 2>/dev/null
}
tls lync.localhost "$root/etc/s2sd/tls"
tls exch.localhost "$root/srv/exch"
chmod 755 "$pki"
chmod 644 "$pki/ca.pem" "$root/etc/s2sd/tls/fullchain.pem"
cp "$pki/ca.pem" "$root/etc/s2sd/ca.pem"
identity() { # appid host port folder
    cat <<CONF
[Identity]
ApplicationId=$1
Realm=contoso.example
Hosts=$2

[Metadata]
URL=https://$2:$3/metadata/json/1

[TLS]
Certificate=$4/fullchain.pem
PrivateKey=$4/privkey.pem
CONF
}
partner() { # name appid url
    cat <<CONF
[Partner $1]
MetadataURL=$3
ApplicationId=$2
Realm=contoso.example
PermittedUsers=*@contoso.example
CAFile=/etc/s2sd/ca.pem
CONF
}
lync_id=00000004-0000-0ff1-ce00-000000000000 exch_id=00000002-0000-0ff1-ce00-000000000000
identity $lync_id lync.localhost $port /etc/s2sd/tls >"$root/etc/s2sd/s2sd.conf"
mkdir -p "$root/etc/s2sd/partners.d" "$root/etc/s2sd/clients.d"
rm -f "$root"/etc/s2sd/partners.d/*.conf "$root"/etc/s2sd/clients.d/*.conf
partner exch $exch_id "https://exch.localhost:$exch_port/metadata/json/1" >"$root/etc/s2sd/partners.d/exch.conf"
cat >"$root/etc/s2sd/clients.d/test.conf" <<'CONF'
# one rule by user, one by unit
[Client nobody]
User=nobody
Allow=validate

[Client probe]
User=root
Unit=probe.service
Allow=mint validate explain
Delegation=yes
ActAs=*@contoso.example
CONF
{ identity $exch_id exch.localhost $exch_port /srv/exch; printf '\n[Listen]\nHTTPS=127.0.0.1:%s\n' $exch_port; } >"$root/srv/exch/etc/s2sd.conf"
partner lync $lync_id "https://lync.localhost:$port/metadata/json/1" >"$root/srv/exch/etc/partners.d/lync.conf"
printf '[Client test]\nUser=root\nAllow=mint validate explain\n' >"$root/srv/exch/etc/clients.d/test.conf"
mkdir -p "$root/etc/systemd/system/s2sd.socket.d"
printf '[Socket]\nListenStream=\nListenStream=%s\n' $port >"$root/etc/systemd/system/s2sd.socket.d/port.conf"

# --- boot ---
# shellcheck disable=SC2016
unshare -m --propagation private bash -c '
    umount -R /sys/fs/cgroup 2>/dev/null
    mount -t cgroup2 none /sys/fs/cgroup || exit 1
    mkdir -p "/sys/fs/cgroup/s2sd-test-$$" && echo $$ >"/sys/fs/cgroup/s2sd-test-$$/cgroup.procs"
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_LOCK=0
    exec systemd-nspawn -q -D "$1" --private-network --register=no --keep-unit --boot --console=pipe --link-journal=no' boot "$root" >"$root.log" 2>&1 &
nspawn=$!
# nspawn has a short-lived child first; the container's own is the one that has become systemd
find_leader() { leader=$(pgrep -P "$nspawn" -x systemd | head -n 1) && [ -n "$leader" ]; }
booted() { inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }
await 20 find_leader && await 30 booted || {
    if ! kill -0 "$nspawn" 2>/dev/null; then # this machine lets nobody make a container
        echo "container: cannot be made here: $(tail -n 1 "$root.log")"
        trap - EXIT
        rm -rf "$root" "$root".*
        echo "0 passed, 0 failed, 1 skipped"
        exit 0
    fi
    echo "the container does not boot"
    tail -n 5 "$root.log"
    failed=1
    exit 1
}

# --- as an administrator ---
ok 'sysusers made the users' inside getent passwd s2sd s2sd-signer s2sd-fetcher
ok 'tmpfiles sets the rights' inside systemd-tmpfiles --create
ok 'the configuration is good' inside s2sd --check-config
ok 'systemctl start s2sd: ready' inside systemctl start s2sd
for u in s2sd s2sd-signer s2sd-fetcher; do
    ok "$u is active" inside systemctl is-active $u.service
done
inside systemd-run -q --unit=exch -p StateDirectory=exch -p RuntimeDirectory=exch -p RuntimeDirectoryMode=0700 -p StateDirectoryMode=0700 \
    s2sd --all --config-dir=/srv/exch/etc --runtime-dir=/run/exch --state-dir=/var/lib/exch
ok 'a second instance under --all' await 20 inside curl -sf --unix-socket /run/exch/validate.sock http://localhost/readyz
ok 'documents are fetched' inside s2sctl partners refresh
ok 'both ways' inside s2sctl --runtime-dir=/run/exch partners refresh
ok 'status' says 'up|fresh' inside s2sctl status

probe() { inside systemd-run -q --wait --pipe --unit=probe "$@"; }
probe s2sctl token mint exch >"$root.says.token" 2>&1 && cp "$root.says.token" "$root/srv/token"
rm -f "$root.says.token"
ok 'a rule with Unit= lets that unit mint' test -s "$root/srv/token"
ok 'the partner accepts it' inside s2sctl --runtime-dir=/run/exch token verify /srv/token
ok 'outside the unit the same user may not' not inside s2sctl token mint exch
ok 'another user may not' not inside runuser -u nobody -- s2sctl token mint exch

# --- walls ---
ok 'a key was made' inside test -s /var/lib/s2sd-signer/ring.state
ok 's2sd cannot enter the folder of the keys' not inside runuser -u s2sd -- ls /var/lib/s2sd-signer
ok 's2sd cannot read a key' not inside runuser -u s2sd -- sh -c 'cat /var/lib/s2sd-signer/keys/*.pem'
ok 's2sd-signer can' inside runuser -u s2sd-signer -- sh -c 'cat /var/lib/s2sd-signer/keys/*.pem'
ok 's2sd-fetcher cannot' not inside runuser -u s2sd-fetcher -- sh -c 'cat /var/lib/s2sd-signer/keys/*.pem'
# in the signer's name space of users root is root and everybody else nobody
ok 'root asks the signer itself for a request' says 'BEGIN CERTIFICATE REQUEST' inside s2sctl cert request
ok 'the broker has no way to that door' not inside runuser -u s2sd -- s2sctl cert request
inside chmod 666 /run/s2sd-signer/io.s2sd.keys
ok 'nor when the file is open to all' says 'Only root' inside runuser -u s2sd -- s2sctl cert request
inside chmod 600 /run/s2sd-signer/io.s2sd.keys
for row in s2sd-signer:0.3 s2sd:0.5 s2sd-fetcher:1.1; do
    ok "exposure of ${row%:*} is at most ${row#*:}" inside sh -c "systemd-analyze security ${row%:*}.service | awk '/Overall exposure/ { print; exit !(\$(NF-2) <= ${row#*:}) }'"
done

sockets_of() { for f in /proc/"$1"/fd/*; do readlink "$f"; done 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p'; }
pids_of() { pgrep -f "$1" --ns "$leader" --nslist pid | sort -u; }
leads_to_signer() { # pid: does one of its sockets have its peer in the signer?
    local signer ino peer
    signer=$(for p in $(pids_of 's2sd-signer'); do sockets_of "$p"; done)
    for ino in $(sockets_of "$1"); do
        for net in "$1" $(pids_of 's2sd-signer') "$leader"; do
            peer=$(nsenter -t "$net" -n ss -xaHn 2>/dev/null | awk -v i="$ino" '$6 == i { print $8 } $8 == i { print $6 }')
            for q in $peer; do
                [ "$q" != 0 ] && grep -qx "$q" <<<"$signer" && return 0
            done
        done
    done
    return 1
}
validators=$(pids_of 's2sd --worker=validator')
minters=$(pids_of 's2sd --worker=minter')
ok 'there are validators and minters' test -n "$validators" -a -n "$minters"
for v in $validators; do
    ok "validator has no descriptor that leads to the signer" not leads_to_signer "$v"
done
for m in $minters; do
    ok "the same look finds the minter's link" leads_to_signer "$m"
done

# --- life ---
inside systemctl reload s2sd
ok 'reload' says 'active' inside systemctl is-active s2sd
echo 'Colour=blue' >>"$root/etc/s2sd/clients.d/test.conf"
ok 'a broken configuration fails the reload' not inside systemctl reload s2sd
sed -i '/^Colour=/d' "$root/etc/s2sd/clients.d/test.conf"
works() { inside curl -sf --unix-socket /run/s2sd/validate.sock http://localhost/readyz && inside curl -sf --unix-socket /run/s2sd/mint.sock http://localhost/readyz; }
for u in s2sd s2sd-signer s2sd-fetcher; do
    main=$(inside systemctl show -P MainPID $u)
    inside systemctl kill --kill-whom=main -s SIGKILL $u
    restarted() { [ "$(inside systemctl show -P MainPID $u)" != "$main" ] && works; }
    ok "$u comes back within 2 s of SIGKILL" await 2 restarted
done
ok 'tokens still validate' inside s2sctl --runtime-dir=/run/exch token verify /srv/token
ok 'minting works again' await 3 probe s2sctl token mint exch
# --- keys: one that the signer makes, then one that systemd hands over as a credential ---
ok 'a next key is prepared' inside s2sctl cert roll --prepare
ok 'and published' says 'next' inside s2sctl cert list
next=$(inside s2sctl cert list --json | tr '{' '\n' | sed -n 's/.*"thumbprint":"\([0-9A-F]*\)".*"state":"next".*/\1/p')
inside systemctl restart s2sd-signer
ok 'a restart keeps it' says "$next" inside s2sctl cert list
mkdir -p "$root/etc/s2sd/keys" "$root/etc/systemd/system/s2sd-signer.service.d"
(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=brought -keyout "$pki/k" -out "$pki/c" 2>/dev/null &&
    cat "$pki/k" "$pki/c" >"$root/etc/s2sd/keys/brought.pem")
printf '[Service]\nLoadCredential=signing:/etc/s2sd/keys/brought.pem\n' >"$root/etc/systemd/system/s2sd-signer.service.d/key.conf"
printf '\n[SigningKey]\nSource=credential\nCurrent=signing\n' >>"$root/etc/s2sd/s2sd.conf"
inside systemctl daemon-reload
ok 'another source needs a restart' says 'restart' inside s2sctl reload
ok 'which works' inside systemctl restart s2sd-signer s2sd
brought=$(openssl x509 -in "$pki/c" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
ok 'the credential signs' says "$brought" inside s2sctl cert list
probe s2sctl token mint exch >"$root/srv/brought" 2>/dev/null
ok 'and the partner accepts it, after one look at our document' inside s2sctl --runtime-dir=/run/exch token verify /srv/brought

ok 'no token text in the journal' not sh -c "nsenter -t $leader -a journalctl --no-pager -o export | grep -aF \"\$(cut -d. -f2 $root/srv/token)\""
ok 'each signature has its record' says 'TRUST_' inside journalctl --no-pager -o export -u s2sd-signer
ok 'stop is clean' inside systemctl stop s2sd s2sd-signer s2sd-fetcher
ok 'nothing failed' says '^0 loaded' inside systemctl --failed --no-pager
