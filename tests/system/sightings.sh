#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who has seen our keys: two servers that announce themselves, a forged and a repeated announcement, a key that waits, one that is
# rolled when the partner has it, and the same two without announcements.
. "$(dirname "$0")/lib.sh"
two_nodes || exit 1
# exch is asked at an alias path by lync (lib.sh); lync is the one whose keys are watched.
sed -i 's/^Allow=.*/Allow=mint validate explain status refresh reload roll force/' "$TOP"/{lync,exch}/etc/clients.d/test.conf

call() { # node method parameters: the answer's parameters, or the error with its parameters
    python3 - "$TOP/$1/run/io.s2sd.control" "$2" "${3:-{\}}" <<'PY'
import json, socket, sys
path, method, parameters = sys.argv[1:]
s = socket.socket(socket.AF_UNIX)
s.connect(path)
s.sendall(json.dumps({"method": "io.s2sd.control." + method, "parameters": json.loads(parameters)}).encode() + b"\0")
data = b""
while not data.endswith(b"\0"):
    part = s.recv(65536)
    if not part:
        break
    data += part
answer = json.loads(data[:-1])
print(json.dumps({"error": answer["error"], **answer.get("parameters", {})} if "error" in answer else answer["parameters"]))
PY
}
key() { # node state expression: of the key in that state (k), e.g. 'k["held"]'
    call "$1" ListKeys | python3 -c '
import json, sys
keys = [k for k in json.load(sys.stdin)["keys"] if k["state"] == sys.argv[1]]
k = keys[0] if keys else None
how = {s["partner"]: s["how"] for s in k["seen"]} if k else {}
print(eval(sys.argv[2]))' "$2" "$3"
}
is() { [ "$("${@:2}")" = "$1" ] || { echo "is: $("${@:2}")"; return 1; }; }
counter() { # node name
    ctl "$1" status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["counters"][sys.argv[1]])' "$2"
}
counted() { [ "$(counter "$1" "$2")" -ge "$3" ]; } # node name at-least
refreshed_until() { # what command...: exch fetches again until lync knows; a partner is heard once in 10 s
    local limit=$((SECONDS + 40))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -ge $limit ] && return 1
        ctl exch partners refresh >/dev/null 2>&1
        await 3 "$@" && return 0
    done
}
stage_next() {
    make_signing_key "$TOP/lync/keys/next.pem" "Lync OAuth 2"
    sed -i "/^Current=/a Next=$TOP/lync/keys/next.pem\nPublishLead=0" "$TOP/lync/etc/s2sd.conf"
    ctl lync reload
}

# --- without announcements everything works as before, and nothing is claimed to be known ---
ok 'nobody has announced himself' is 0 counter lync announcesTaken
ok 'an address proves nothing: it is shown as such' is "address ['exch']" key lync current 'how["exch"] + " " + str(k["notSeen"])'

# --- both announce ---
for n in lync exch; do sed -i '/^CAFile=/a Announce=yes' "$TOP/$n/etc/partners.d"/*.conf; done
ok 'lync takes the setting' ctl lync reload
ok 'exch takes the setting' ctl exch reload
ok 'exch says which keys of lync it believes' refreshed_until is announced key lync current 'how["exch"]'
ok 'nobody is missing then' is '[]' key lync current 'k["notSeen"]'
ctl lync partners refresh >/dev/null 2>&1
ok 'lync announces itself at an alias of the document, too' await 15 is announced key exch current 'how["lync"]'
ok 'it is told as announcing' says '"announces": true' call lync ListKeys

# --- a next key: shown as not seen until exch says it believes it ---
ok 'a next key is announced' stage_next
ok 'it is not seen by exch yet' is "False" key lync next '"exch" in how'
ok 'to roll now is refused, naming the partner and what to do' says 'RollRefused.*exch has not seen the key.*partners confirm exch' \
    call lync RollKey '{"op":"now"}'
ok 'a dry run is refused alike' says 'RollRefused.*exch has not seen' call lync RollKey '{"op":"now","dryRun":true}'
ok 'the first fetch shows it' refreshed_until says 'fetched|announced' key lync next 'how["exch"]'
ok 'the second says it is believed' refreshed_until is announced key lync next 'how["exch"]'
ok 'evidence outlives a restart' test -s "$TOP/lync/state/sightings.state"
stop_node lync
start_node lync
ok 'it is still known' is announced key lync next 'how["exch"]'

# --- what others say changes nothing ---
before=$(call lync ListKeys)
public() { curl -s --cacert "$TOP/ca.pem" -o /dev/null -w '%{http_code}\n' "$@" "https://lync.localhost:$LYNC_PORT/metadata/json/1"; }
forged=$(printf '%s' '{"typ":"s2s-announce+jwt","alg":"RS256","x5t":"AAAAAAAAAAAAAAAAAAAAAAAAAAA"}' | openssl base64 -A | tr '+/' '-_' | tr -d =).$(
    printf '{"iss":"%s@contoso.example","aud":"https://lync.localhost:%s/metadata/json/1","iat":"%s","exp":"%s","s2s_trusts":[]}' \
        "$EXCH_ID" "$LYNC_PORT" "$(date +%s)" "$(($(date +%s) + 60))" | openssl base64 -A | tr '+/' '-_' | tr -d =).AAAA
ok 'a forged announcement gets the document all the same' is 200 public -H "S2S-Announce: $forged"
ok 'it is judged and refused' await 5 counted lync announcesRefused 1
mint exch lync >"$TOP/token"
ok 'a good app-only token is no announcement' is 200 public -H "S2S-Announce: $(cat "$TOP/token")"
ok 'it is refused as well' await 5 counted lync announcesRefused 2
refused=$(counter lync announcesRefused)
ok 'two of them at once are none' is 200 public -H "S2S-Announce: $forged" -H "S2S-Announce: $forged"
ok 'a too long one is none' is 200 public -H "S2S-Announce: $(printf 'a%.0s' $(seq 9000))"
for _ in $(seq 60); do public -H "S2S-Announce: $forged" >/dev/null; done
ok 'a flood is cut off' counted lync announcesSuppressed 1
ok 'no more than so many are judged' test "$(counter lync announcesRefused)" -le $((refused + 60))
ok 'the evidence is as before' is "$before" call lync ListKeys
ok 'a forged one opens no door' says '"active":false.*token_type' introspect lync <<<"$forged"
ok 'no announcement text is in the log' not grep -q 's2s_trusts\|eyJ0eXAiOiJzMnMtYW5ub3VuY2' "$TOP"/lync/log "$TOP"/exch/log

# --- exch has it: now it may sign ---
ok 'to roll now is possible' says '"changed": true' call lync RollKey '{"op":"now"}'
ok 'the key that was seen signs' is announced key lync current 'how["exch"]'
mint lync exch -d min_valid_period=3595 >"$TOP/after"
ok 'a token of it is accepted' says '"active":true' introspect exch <"$TOP/after"
ok 'a key that does not exist cannot be withdrawn' says 'NoSuchKey' call lync WithdrawKey '{"thumbprint":"00"}'
ok 'an unknown operation is refused' says 'InvalidParameter.*op' call lync RollKey '{"op":"dance"}'

# --- a partner that does not refresh by itself holds the next key until somebody says it is done ---
sed -i '/^CAFile=/a SelfRefresh=no' "$TOP/lync/etc/partners.d/exch.conf"
sed -i 's/^Announce=yes/Announce=no/' "$TOP/exch/etc/partners.d/lync.conf"
ok 'exch is silent from now on' ctl exch reload
mv "$TOP/lync/keys/next.pem" "$TOP/lync/keys/current.pem"
sed -i '/^Next=/d;/^PublishLead=/d' "$TOP/lync/etc/s2sd.conf"
ok 'the files say what signs' ctl lync reload
make_signing_key "$TOP/lync/keys/next.pem" "Lync OAuth 3"
sed -i "/^Current=/a Next=$TOP/lync/keys/next.pem\nPublishLead=0" "$TOP/lync/etc/s2sd.conf"
ok 'another next key' ctl lync reload
ok 'it is held, and says for whom' await 5 says 'True .*exch does not refresh by itself' key lync next 'str(k["held"]) + " " + k["holdReason"]'
ok 'the signer is told, too' await 5 grep -q 'held: exch does not refresh by itself' "$TOP/lync/log"
ctl exch partners refresh >/dev/null 2>&1
ok 'a fetch by somebody at its address frees nothing' is 'True' key lync next 'k["held"]'
ok 'force says what it would go against' says 'exch has not seen the key.*"changed": false' \
    call lync RollKey '{"op":"now","force":true,"dryRun":true}'
ok 'and a dry run has done nothing' is 'True' key lync next 'k["held"]'
ok 'an administrator confirms' says 'exch: key .* \(next\): confirmed' call lync Confirm '{"name":"exch"}'
ok 'then it waits for nobody' is 'False confirmed' key lync next 'str(k["held"]) + " " + how["exch"]'
ok 'a partner that is not configured cannot be confirmed' says 'NoSuchPartner' call lync Confirm '{"name":"nobody"}'

# --- force and rights ---
ok 'abort takes the next key back' says '"changed": true' call lync RollKey '{"op":"abort"}'
sed -i 's/ roll force$/ roll/' "$TOP/lync/etc/clients.d/test.conf"
ok 'rights are read again' ctl lync reload
if [ "$(id -u)" -ne 0 ]; then
    ok 'force is a right of its own' says 'NotPermitted.*force' call lync RollKey '{"op":"now","force":true}'
fi
sed -i 's/ roll$//' "$TOP/lync/etc/clients.d/test.conf"
ok 'rights are read again' ctl lync reload
if [ "$(id -u)" -ne 0 ]; then
    ok 'roll is a right of its own' says 'NotPermitted.*roll' call lync RollKey '{"op":"now"}'
    ok 'to confirm needs it' says 'NotPermitted.*roll' call lync Confirm '{"name":"exch"}'
fi
