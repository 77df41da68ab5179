#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All processes of one node together, two partners, plain -O2 build: below 40 MiB of proportional set size, after work on every door.
. "$(dirname "$0")/lib.sh"
if nm -D "$BIN/s2sd" 2>/dev/null | grep -q __asan; then
    BIN=build
    [ -x build/s2sd ] || { echo 'memory: needs the plain build'; exit 1; }
fi
two_nodes || exit 1
make_signing_key "$TOP/third.pem" third
sed -n '/BEGIN CERT/,/END CERT/p' "$TOP/third.pem" >"$TOP/third.crt"
cat >"$TOP/lync/etc/partners.d/third.conf" <<CONF
[Partner third]
Certificate=$TOP/third.crt
AudienceHost=third.localhost
ApplicationId=00000003-0000-0ff1-ce00-000000000000
Realm=contoso.example
CONF
ok 'a second partner' ctl lync reload
for i in $(seq 50); do
    mint lync exch >"$TOP/token"
    introspect exch <"$TOP/token" >"$TOP/answer"
    ctl lync token mint exch --user "u$i@contoso.example" >"$TOP/user"
    introspect lync <"$TOP/user" >"$TOP/answer"
done
sum=0
everybody() { echo "$1"; for c in $(pgrep -P "$1"); do everybody "$c"; done; }
for p in $(everybody "${NODE_PID[lync]}"); do
    pss=$(awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup")
    printf '%8d KiB  %s\n' "$pss" "$(tr '\0' ' ' <"/proc/$p/cmdline" | sed "s|$TOP||g" | cut -c1-60)"
    sum=$((sum + pss))
done
echo "together $((sum / 1024)) MiB of PSS"
ok 'below 40 MiB' test $sum -lt $((40 * 1024))
