#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Five mistakes are five lines with file and line, and exit status 78; a good configuration says so.
. "$(dirname "$0")/lib.sh"
mkdir -p "$TOP/exch"
configure exch $EXCH_ID 18443
partner exch lync $LYNC_ID https://lync.localhost:18444/metadata/json/1
ok 'a good configuration' "$BIN/s2sd" --check-config --config-dir="$TOP/exch/etc"
ok 's2sctl config check agrees' "$BIN/s2sctl" config check --config-dir="$TOP/exch/etc"
ok 'the effective configuration is printed' says '^Realm=contoso.example' "$BIN/s2sd" --print-config --config-dir="$TOP/exch/etc"
cat >"$TOP/exch/etc/s2sd.conf" <<'CONF'
[Identity]
ApplicationId=not-a-guid
Realm=contoso.example
Hosts=exch.localhost

[Refresh]
Intervall=1h
CONF
cat >>"$TOP/exch/etc/partners.d/lync.conf" <<'CONF'
Trust=absolute
[Partner nowhere]
MetadataURL=http://plain.example/metadata/json/1
ApplicationId=00000003-0000-0ff1-ce00-000000000000
Realm=contoso.example
CONF
cat >>"$TOP/exch/etc/clients.d/test.conf" <<'CONF'
[Client odd]
User=no-such-user-here
CONF
for program in "$BIN/s2sd --check-config" "$BIN/s2sctl config check" "$BIN/s2sd --all --runtime-dir=$TOP/exch/run --state-dir=$TOP/exch/state"; do
    # shellcheck disable=SC2086
    ok "$program exits with 78" status_is 78 $program --config-dir="$TOP/exch/etc"
    # shellcheck disable=SC2086
    five() { [ "$($program --config-dir="$TOP/exch/etc" 2>&1 | grep -cE '[a-z0-9.]+\.conf:[0-9]+: ')" -eq 5 ]; }
    ok "$program shows all five with file and line" five
done
chmod 666 "$TOP/exch/etc/clients.d/test.conf"
ok 'a file that others may write is refused' says 'writ' "$BIN/s2sd" --check-config --config-dir="$TOP/exch/etc"
