#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A rollover as an administrator does it, with s2sctl against the real programs: pbx is ours, branch announces its fetches, exch
# stands in for a product that reads our document only when it is told to. What would break one of them is refused and says why.
source "$(dirname "$0")/lib.sh"

BRANCH_ID=7b6f1f9e-2a55-4c39-9f7e-6a6f0c1f2b11
PBX_PORT=$(free_port) BRANCH_PORT=$(free_port) EXCH_PORT=$(free_port)
make_ca ca
setup() { # node appid port
    mkdir -p "$TOP/$1"
    make_tls "$TOP/$1/tls" "$1.localhost" ca
    configure "$1" "$2" "$3"
    sed -i 's/^Allow=.*/& roll bar approve force/' "$TOP/$1/etc/clients.d/test.conf"
}
url() { echo "https://$1.localhost:$2/metadata/json/1"; }
setup pbx $LYNC_ID "$PBX_PORT"
setup branch $BRANCH_ID "$BRANCH_PORT"
setup exch $EXCH_ID "$EXCH_PORT"
sed -i 's/^Source=managed/&\nPublishLead=3s/' "$TOP/pbx/etc/s2sd.conf"
partner pbx branch $BRANCH_ID "$(url branch "$BRANCH_PORT")" Product=s2sd
partner pbx exch $EXCH_ID "$(url exch "$EXCH_PORT")" Product=exchange
partner branch pbx $LYNC_ID "$(url pbx "$PBX_PORT")" 'Product=s2sd
Announce=yes'
partner exch pbx $LYNC_ID "$(url pbx "$PBX_PORT")"
start_node pbx && start_node branch && start_node exch || exit 1
for n in pbx branch exch; do ok "$n has its partners' documents" ctl "$n" partners refresh; done

key() { # STATE: thumbprint of our key in that state
    ctl pbx cert --json | python3 -c 'import json, sys
print(*[k["thumbprint"] for k in json.load(sys.stdin)["keys"] if k["state"] == sys.argv[1]])' "$1"
}
key_is() { [ "$(key "$1")" = "$2" ] || { echo "$1 is $(key "$1"), want $2"; return 1; }; }
has_seen() { # PARTNER HOW: of the next key
    ctl pbx cert --json | python3 -c 'import json, sys
nxt = [k for k in json.load(sys.stdin)["keys"] if k["state"] == "next"][0]
sys.exit(0 if (sys.argv[1], sys.argv[2]) in [(s["partner"], s["how"]) for s in nxt["seen"]] else 1)' "$1" "$2"
}
accepted() { mint pbx "$1" -d min_valid_period=3590 | introspect "$1" | grep '"active":true'; }

first=$(key current)
mint pbx branch >"$TOP/of-first" # a token that keeps it published after the roll
ok 'nothing needs an administrator' ctl pbx cert list
ok 'the list says who has not seen the key' says 'NOT seen by .*exch' ctl pbx cert list
ok 'without a next key there is nothing to roll to' status_is 1 ctl pbx cert roll --now
ok '... and it is said what to do' says 'cert roll --prepare' ctl pbx cert roll --now

ok 'a dry run tells' says 'begins to sign' ctl pbx cert roll --prepare --effective +30d --dry-run
ok '... and changes nothing' key_is next ''
ok 'a next key is prepared' ctl pbx cert roll --prepare
second=$(key next)
ok 'it is another one' test "$second" != "$first"
ok 'it does not sign yet' key_is current "$first"
ok 'it may not sign before its lead, nor unseen' status_is 1 ctl pbx cert roll --now
ok '... the partner that has not seen it is named' says 'exch' ctl pbx cert roll --now
ok 'the refusal changed nothing' key_is current "$first"

# Of one partner an announcement in ten seconds counts; with the one behind the fetch that brought the key it says that it believes it.
announces() {
    ctl branch partners refresh pbx
    has_seen branch announced || { read -r -t 1 <> <(:) || true; return 1; }
}
ok 'branch fetches, and says, signed, that it believes the key' await 30 announces
ok 'exch fetches as well' ctl exch partners refresh pbx
ok '... which is no proof: --now stays refused for its sake' says 'exch' ctl pbx cert roll --now
ok 'the exact command of the product is printed' says 'Set-PartnerApplication .* -RefreshAuthMetadata' ctl pbx cert list
ok 'an administrator confirms' ctl pbx partners confirm exch
ok '... which is kept' has_seen exch confirmed
rolled() { ctl pbx cert roll --now; }
ok 'once seen and published for its lead it may sign' await 10 rolled
ok 'the new key signs' key_is current "$second"
ok 'the old one is still published' key_is previous "$first"
ok 'branch believes it' accepted branch
ok 'exch believes it' accepted exch
ok 'the drawing shows both' says "ours +.* (current|previous)" ctl pbx cert list --timeline --span 2min
ok '... in ASCII on demand' says '#+' ctl pbx cert list --timeline --span 2min --ascii

ok 'previous stays while its tokens live' status_is 1 ctl pbx cert clear-previous
ok '... until it is forced' ctl pbx cert clear-previous --force
ok 'it is gone' key_is previous ''

ok 'another one is prepared' ctl pbx cert roll --prepare --effective +40d
ok '... and taken back' ctl pbx cert roll --abort
ok '... there is none' key_is next ''
ok '... again is refused' status_is 1 ctl pbx cert roll --abort
ok 'a key that is not ours cannot be withdrawn' status_is 1 ctl pbx cert withdraw 0000000000000000000000000000000000000000
ok 'the only key that signs cannot be withdrawn' status_is 1 ctl pbx cert withdraw "$second"
ok 'a stolen key: a next one' ctl pbx cert roll --prepare
third=$(key next)
ok '... signs at once, by force' ctl pbx cert roll --now --force
ok '... and the stolen one is withdrawn' ctl pbx cert withdraw "$second" --force
ok 'only the new one is left' test "$(key current) $(key previous)" = "$third "
ok 'branch reads it with the first token' accepted branch

# Decisions about partners are in force when the command returns.
theirs=$(ctl pbx partners show branch --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["keys"][0]["thumbprint"])')
believed() { mint branch pbx | introspect pbx | grep '"active":true'; }
reason_is() { mint branch pbx | introspect pbx | grep "\"reason\":\"$1\""; }
ok 'branch is believed' believed
ok 'its key is barred' ctl pbx partners bar branch "$theirs"
ok '... in the same second' reason_is key_barred
ok '... and unbarred' ctl pbx partners unbar branch "$theirs"
ok '... believed again' believed
ok 'it is suspended' ctl pbx partners suspend branch
ok '... at once' reason_is partner_suspended
ok '... also for minting' status_is 1 ctl pbx token mint branch
ok '... which is shown' says 'suspended since' ctl pbx partners show branch
ok '... and resumed' ctl pbx partners resume branch
ok '... believed again' believed
ok 'there is nothing to approve' status_is 1 ctl pbx partners approve branch
ok 'the history tells who did what' says 'bar' ctl pbx partners show branch

# Without the right.
sed -i 's/^Allow=.*/Allow=status/' "$TOP/pbx/etc/clients.d/test.conf"
kill -HUP "${NODE_PID[pbx]}"
if [ "$(id -u)" -ne 0 ]; then
    ok 'who has no right is told so' await 10 status_is 4 ctl pbx cert roll --prepare
fi
