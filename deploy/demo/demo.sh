#!/bin/bash
# make demo: from a fresh checkout to payouts that have landed. Safe to run again: what is there stays, what runs goes on
# running, and nothing is paid twice. Everything is under var/demo; `make demo-stop` ends it.
# shellcheck disable=SC2154  # demo, bin, bold, dim, plain: from lib.sh
set -u
locale=${LC_ALL:-${LC_CTYPE:-${LANG:-}}}
. "$(dirname "$0")/lib.sh"

platforms='upwork fiverr freelancer peopleperhour'
banks='MUCB SCBL HABB'
began=$SECONDS
done_well=
step_log=$demo/log/demo.log

tick='ok ' cross='FAILED' green='' wipe=''
if [ -n "$bold" ]; then
    green=$'\e[32m' wipe=$'\r\e[K'
    case $locale in
    *[Uu][Tt][Ff]*8) tick=$green$'\xe2\x9c\x94'$plain' ' cross=$'\e[31m\xe2\x9c\x98\e[0m' ;;
    *) tick=${green}ok$plain' ' cross=$'\e[31mFAILED\e[0m' ;;
    esac
fi

# ---------------------------------------------------------------- steps
now_ms() { # a clock that does not jump
    local s
    read -r s _ </proc/uptime
    echo "${s/./}0"
}

step() { # WHAT COMMAND...: shows what is being done, then that it is done and how long it took
    local what=$1 from took
    shift
    now_step=$what
    [ -z "$wipe" ] || printf '  %s %s' "${dim}...$plain" "$what"
    from=$(now_ms)
    "$@" >>"$step_log" 2>&1 || exit 1
    took=$(($(now_ms) - from))
    printf '%s  %s %-62s %s%3d.%01d s%s\n' "$wipe" "$tick" "$what" "$dim" $((took / 1000)) $((took % 1000 / 100)) "$plain"
    now_step=
}

title() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

ended() {
    local code=$?
    [ -n "$done_well" ] && exit 0
    exec 1>&"$to_user" 2>&"$to_user_err" # a step may end us while its words go to the log
    case $code in 130 | 143)
        printf '%s\ndemo: interrupted. What runs still runs: make demo goes on, make demo-stop ends it.\n' "$wipe" >&2
        exit "$code"
        ;;
    esac
    if [ -n "${now_step:-}" ]; then
        printf '%s  %s %s\n\n' "$wipe" "$cross" "$now_step" >&2
        tail -n 15 "$step_log" >&2
        echo >&2
    fi
    echo "demo: it did not work. What was said is in $demo/log/ (what runs still runs: make demo-stop ends it)." >&2
    exit $((code == 0 ? 1 : code))
}

# ---------------------------------------------------------------- setting up
is_current() { # NAME: it runs, and from the program that was just built
    local pid
    pid=$(daemon_pid "$1") || return 1
    case $(readlink "/proc/$pid/exe") in *' (deleted)' | '') return 1 ;; esac
}

restart_if_old() {
    is_current "$1" || stop_daemon "$1"
}

choose_port() {
    if daemon_pid ujratd >/dev/null && [ -f "$demo/port" ]; then
        port=$(<"$demo/port")
    else
        port=$(demo_port)
    fi
}

write_config() {
    cat >"$demo/ujratd.conf.new" <<END
# Written by make demo. All settings, with their meaning: ujratd --print-config
listen = "127.0.0.1:$port"
workers = 2
tls_cert = "$demo/pki/server.pem"
tls_key = "$demo/pki/server.key"
tls_client_ca = "$demo/pki/ca.pem"
tls_crl = "$demo/pki/crl.pem"
db = "$(db_uri ujrat_app)"
pii_keys = "$demo/pii.keys"
# The demo's sheet is of July 2026 whatever the day is. A real gateway keeps the default of a few days, and refuses to
# price with anything older.
rate_age_max = 3650d
log_file = "$demo/log/gateway.log"
# The same port speaks PayPal's Payouts API to clients without a certificate (docs/paypal.md).
rest = true
# Blocks are signed as they come, with these keys (docs/log-format.md).
seal_keys = "$demo/keys"
seal_db = "$(db_uri ujrat_sealer)"
END
    mv "$demo/ujratd.conf.new" "$demo/ujratd.conf"
}

open_books() {
    local bank platform
    for bank in $banks; do ujrat bank connect "$bank" || exit 1; done
    for platform in $platforms; do
        ujrat platform add "$platform" --profile "deploy/platforms/$platform/profile.json" || exit 1
    done
    ujrat principal add ujrat://auditor/demo || exit 1
    ujrat principal add ujrat://operator/demo || exit 1
}

client_of() { # PLATFORM: the id of its client of the REST API, if there is one and the books know it
    local id
    [ -s "$demo/rest/$1.secret" ] && id=$(cat "$demo/rest/$1.id" 2>/dev/null) && ujrat rest client list --json | grep -q "\"$id\"" && echo "$id"
}

make_clients() { # of the REST API, one a platform; those that are there stay
    local platform id
    (umask 077 && mkdir -p "$demo/rest") || exit 1
    for platform in $platforms; do
        ! client_of "$platform" || continue
        rm -f "$demo/rest/$platform.secret"
        id=$(ujrat rest client add "$platform" --secret-file "$demo/rest/$platform.secret" --json | sed -n 's/.*"client_id": "\([^"]*\)".*/\1/p')
        [ -n "$id" ] || exit 1
        echo "$id" >"$demo/rest/$platform.id"
    done
    demo_env "$port"
}

deposit() { # PLATFORM AMOUNT CCY: the same reference each time, so it is booked once
    ujrat float deposit "$1" "$2" "$3" --reference "demo-$1-$3" || exit 1
}

fill_floats() {
    deposit upwork 250000 USD
    deposit upwork 50000 EUR
    deposit fiverr 250000 USD
    deposit freelancer 100000 USD
    deposit freelancer 100000 EUR
    deposit freelancer 100000 AUD
    deposit freelancer 10000000 JPY
    deposit peopleperhour 100000 GBP
    deposit peopleperhour 50000 EUR
}

make_keys() { # what books are signed with; those that are there stay
    local platform
    mkdir -p "$demo/keys" && chmod 700 "$demo/keys" || exit 1
    for platform in $platforms; do ujrat log key add "$platform" --keys "$demo/keys" --if-none || exit 1; done
}

import_rates() {
    ujrat rates import data/rates/sbp_m2m_2026-07-17.csv --author demo || exit 1
}

refuse_wrong_rates() {
    local rc=0
    ujrat rates import deploy/demo/rates/sbp_m2m_2026-07-20.csv --author demo || rc=$?
    [ $rc = 1 ]
}

start_gateway() {
    restart_if_old ujratd
    start_daemon ujratd "$bin/ujratd" --config "$demo/ujratd.conf"
    wait_for 30 'the gateway answered' ujratd ujrat balance --as upwork
}

start_bank() { # CODE OPTION...
    local code=$1
    shift
    restart_if_old "bank-$code"
    start_daemon "bank-$code" "$bin/ujrat" bank run --as "$code" --state "$demo/bank-$code.state" --script "$demo/bank-$code.script" "$@"
}

# Three manners: one at once, over gRPC; one by windows, over gRPC; one by ISO 20022 files.
in_days() { # N: the date then, in Pakistan
    TZ=PKT-5 date -d "$1 day" +%F
}

agree_terms() {
    # so that it is a working day whenever somebody looks at this
    ujrat calendar add "$(in_days -1)..$(in_days 2)" working 'days of the demo' || exit 1
    ujrat bank terms MUCB --mode instant --channel grpc --cutoffs 23:59 --answer-within 1h || exit 1
    ujrat bank terms SCBL --mode windows --channel grpc --cutoffs 23:59 --answer-within '1 second' --escalate-after 1h || exit 1
    ujrat bank terms HABB --mode instant --channel file --cutoffs 23:59 --answer-within 1h || exit 1
    ujrat principal add ujrat://system/settle || exit 1
    make_file_keys
}

make_file_keys() { # ours and the bank's, to sign files with; those that are there stay
    local name
    mkdir -p "$demo/settle/banks" "$demo/settle/bank-keys" || exit 1
    for name in ours HABB; do
        [ -f "$demo/settle/$name.key" ] || {
            (umask 077 && openssl genpkey -algorithm ed25519 -out "$demo/settle/$name.key") || exit 1
        }
        openssl pkey -in "$demo/settle/$name.key" -pubout -out "$demo/settle/$name.pem" || exit 1
    done
    cp "$demo/settle/HABB.pem" "$demo/settle/bank-keys/HABB.pem"
}

start_settle() {
    cat >"$demo/settle.conf.new" <<END
# Written by make demo. All settings, with their meaning: ujrat-settle --print-config
db = "$(db_uri ujrat_settle)"
interval = 200ms
hand_out_interval = 500ms
bank_folders = "$demo/settle/banks"
bank_keys = "$demo/settle/bank-keys"
signing_key = "$demo/settle/ours.key"
pii_keys = "$demo/pii.keys"
our_bic = "UJRTPKKA"
our_name = "Ujrat (demo)"
our_town = "Karachi"
END
    mv "$demo/settle.conf.new" "$demo/settle.conf"
    restart_if_old settle
    start_daemon settle "$bin/ujrat-settle" --config "$demo/settle.conf"
    wait_for 20 'every bank has a window' settle windows_open
}

open_window() { # CODE: its number
    ujrat window list "$1" --limit 1 --json | sed -n 's/.*"window": \([0-9]*\).*/\1/p' | head -n 1
}

windows_open() {
    local bank
    for bank in $banks; do [ -n "$(open_window "$bank")" ] || return 1; done
}

start_banks() {
    cat >"$demo/bank-MUCB.script" <<'END'
# takes instructions as they come, and answers at once
number 3: reject AC04
number 6: accept, wait 300ms, return AC06
every 4:  accept, wait 300ms, return 40% AC06 charge 50.00
END
    cat >"$demo/bank-SCBL.script" <<'END'
# gets its instructions when a window closes; slow, says things twice, and has to be asked
number 2: silent, accept
number 5: wrong-amount, wait 200ms, reject AC01
any:      wait 200ms, accept, again
END
    cat >"$demo/bank-HABB.script" <<'END'
# speaks ISO 20022 in files
number 2: reject AC06
number 3: accept, wait 300ms, return MD07
END
    start_bank MUCB
    start_bank SCBL --windows-ms 200
    start_bank HABB --files "$demo/settle/banks" --sign-key "$demo/settle/HABB.key" --gateway-key "$demo/settle/ours.pem"
}

close_window() { # what waits for it goes out, once
    case $(ujrat payout report --json) in *'"ACCEPTED"'*) ujrat window close SCBL "$(open_window SCBL)" || exit 1 ;; esac
}

# ---------------------------------------------------------------- the REST API
register_freelancers() { # peopleperhour's, and three of them everywhere: to be paid by e-mail addresses; those that are there stay
    local platform n email name iban cnic pseb channel beneficiary
    for platform in $platforms; do
        [ "$platform" = peopleperhour ] && n=999 || n=3
        while IFS=, read -r email name iban cnic pseb channel; do
            beneficiary=$(ujrat beneficiary add "demo-$email" --as "$platform" --json --name "$name" --iban "$iban" --cnic "$cnic" \
                ${pseb:+--pseb "$pseb"} --channel "$channel" | sed -n 's/.*"name": "\(platforms[^"]*\)".*/\1/p')
            ujrat receiver add "$beneficiary" "$email" --as "$platform" || exit 1
        done < <(grep -v -e '^#' -e '^email,' "$freelancers" | head -n "$n")
    done
}

rest() { # PLATFORM METHOD PATH OPTION...: an answer of the REST API; what is secret is on no argument list
    local platform=$1 method=$2 path=$3
    shift 3
    curl --silent --show-error --cacert "$demo/pki/ca.pem" --request "$method" --config "$demo/rest/$platform.curl" "$@" \
        "https://localhost:$port$path"
}

rest_login() { # PLATFORM: a bearer token, in a file of its own
    local token
    (
        umask 077
        printf 'user = "%s:%s"\n' "$(<"$demo/rest/$1.id")" "$(<"$demo/rest/$1.secret")" >"$demo/rest/$1.curl"
        token=$(rest "$1" POST /v1/oauth2/token --fail --data grant_type=client_credentials |
            sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')
        [ -n "$token" ] && printf 'header = "Authorization: Bearer %s"\n' "$token" >"$demo/rest/$1.curl"
    )
}

pay_by_rest() { # PLATFORM: its batches. Sent again with the same PayPal-Request-Id, one is answered as the first time
    local file answer batch
    wait_for 15 "the gateway knew the client of $1" ujratd rest_login "$1"
    : >"$demo/log/submit-$1.txt"
    for file in "deploy/platforms/$1"/payouts.*.json; do
        answer=$(rest "$1" POST /v1/payments/payouts --header 'Content-Type: application/json' --data-binary "@$file" \
            --header "PayPal-Request-Id: demo-$(basename "$file")") || return 1
        batch=$(sed -n 's/.*"payout_batch_id": *"\([^"]*\)".*/\1/p' <<<"$answer")
        [ -n "$batch" ] || {
            echo "$answer"
            return 1
        }
        rest "$1" GET "/v1/payments/payouts/$batch" --fail >>"$demo/log/submit-$1.txt" || return 1
        echo >>"$demo/log/submit-$1.txt"
    done
    cat "$demo/log/submit-$1.txt"
}

# ---------------------------------------------------------------- the story
door() { # PLATFORM: by which it pays
    case $(echo "deploy/platforms/$1"/payouts.*) in
    *.csv) echo 'a CSV file, over gRPC' ;;
    *.jsonl) echo 'a JSON Lines file, over gRPC' ;;
    *.xml) echo 'an ISO 20022 file (pain.001), over gRPC' ;;
    *) echo "PayPal's Payouts API (REST), with curl" ;;
    esac
}

pay_by_its_door() { # PLATFORM
    case $(door "$1") in *REST*) pay_by_rest "$1" ;; *) pay "$1" ;; esac
}

pay() { # PLATFORM: its file; a refused item (exit status 1) is part of the story, anything else is not
    local rc=0 file
    file=$(echo "deploy/platforms/$1"/payouts.*)
    ujrat payout submit "$file" --as "$1" --profile "deploy/platforms/$1/profile.json" >"$demo/log/submit-$1.txt" 2>&1 || rc=$?
    cat "$demo/log/submit-$1.txt"
    [ $rc = 0 ] || [ "$1/$rc" = freelancer/1 ]
}

all_landed() { # no payout is on its way, and every payment that will be sent back has been
    local report bank
    report=$(ujrat payout report --json) || exit 1
    case $report in *'"ACCEPTED"'* | *'"INSTRUCTED"'*) return 1 ;; esac
    for bank in $banks; do
        daemon_pid "bank-$bank" >/dev/null || die "bank $bank ended; its log is $demo/log/bank-$bank.log"
        ! ujrat bank books --state "$demo/bank-$bank.state" --json | grep -q '"finished": false' || return 1
    done
}

wait_for_banks() {
    wait_for 60 'every payout landed' ujratd all_landed
}

# ---------------------------------------------------------------- the auditor
all_sealed() {
    ! ujrat log status --json | grep -qE '"unsealed": [1-9]'
}

reconcile_banks() { # each bank's own statement, against our books
    local bank
    for bank in $banks; do
        ujrat bank books --state "$demo/bank-$bank.state" --camt053 "$demo/audit/$bank.camt053.xml" --account UJRAT-PKR || exit 1
        ujrat-audit reconcile "$demo/audit/$bank.camt053.xml" --account UJRAT-PKR --bank "$bank" || exit 1
    done
}

take_evidence() { # what an auditor carries away: public keys, heads of today and of every run before, the log in one file
    local platform
    mkdir -p "$demo/audit"
    wait_for 30 'every block was sealed' ujratd all_sealed
    for platform in $platforms; do ujrat log key export "$platform" || exit 1; done >"$demo/audit/keys.pem"
    ujrat-audit witness --file "$demo/audit/witness.jsonl" --key "$demo/audit/keys.pem" || exit 1
    ujrat-audit export --format log --out "$demo/audit/books.ujlog" || exit 1
}

give_receipt() { # PLATFORM REFERENCE: to whom it was paid
    ujrat receipt "$2" --as "$1" --json "$demo/audit/receipt.json" --pdf "$demo/audit/receipt.pdf" || exit 1
    ujrat-audit receipt-verify "$demo/audit/receipt.json" --key "$demo/audit/keys.pem" --witness "$demo/audit/witness.jsonl" || exit 1
}

# shellcheck disable=SC2120 # step passes the options
freelancers_year() { # OPTION...: of one who is paid by an e-mail address; the tax year of today, in Pakistan
    local year month
    read -r year month < <(TZ=PKT-5 date '+%Y %-m')
    ujrat statement platforms/peopleperhour/beneficiaries/1 --tax-year $((year + (month >= 7))) --keys "$demo/pii.keys" "$@" || exit 1
}

grouped() { # 1234567.89 at the end of a line on standard input: 1,234,567.89
    sed ':again; s/\([0-9]\)\([0-9]\{3\}\)\([.,][0-9,.]*\)$/\1,\2\3/; t again'
}

total() { # KEY: of $books
    sed -n "s/.*\"$1\": \"\{0,1\}\([0-9.]*\).*/\1/p" <<<"$books" | head -n 1 | grouped
}

print_banks() {
    local bank books owed
    printf '%-5s %-29s %13s %13s %12s %12s %13s\n' bank 'how it is told' 'told to pay' paid rejected 'came back' 'we owe it'
    for bank in $banks; do
        books=$(ujrat bank books --state "$demo/bank-$bank.state" --json | sed -n '/"totals"/,$p') || exit 1
        owed=$(ujrat bank position --as "$bank" --json | sed -n 's/.*"owed_to_the_bank": "\([0-9.]*\).*/\1/p' | grouped) || exit 1
        case $bank in
        MUCB) how='gRPC, at once' ;;
        SCBL) how='gRPC, by windows' ;;
        *) how='ISO 20022 files' ;;
        esac
        printf '%-5s %-29s %13s %13s %12s %12s %13s\n' "$bank" "$how" "$(total instructed)" "$(total paid)" "$(total rejected)" \
            "$(total returned)" "$owed"
    done
    echo
    ujrat window list SCBL --json | tr -d '",' | awk '
        $1 == "window:" { no = $2 }
        $1 == "state:" { state = $2 }
        $1 == "instructions:" { n = $2 }
        $1 == "net:" { net = $2 }
        $1 == "reason:" && n > 0 { $1 = ""; printf "Window %d of SCBL: %d instructions, %s.%s To be settled: PKR %s\n", no, n, state, $0, net }' | grouped
    printf 'Files with HABB: %s signed ones to it, %s from it (var/demo/settle/banks/HABB).\n' \
        "$(find "$demo/settle/banks/HABB/out" -name '*.xml' | wc -l)" "$(find "$demo/settle/banks/HABB/archive" -name '*-B*.xml' | wc -l)"
    echo "Each bank's own statement (camt.053) was reconciled with our books, without a break."
}

count_of() { # STATE
    ujrat payout report --json | grep -c "\"state\": \"$1\""
}

print_story() {
    local platform
    title 'Payouts'
    # 142: the width of what comes next
    if [ -t 1 ] && read -r _ columns < <(stty size 2>/dev/null </dev/tty) && [ "${columns:-0}" -gt 0 ] && [ "$columns" -lt 142 ]; then
        echo "${dim}(142 columns wide; your terminal has $columns)$plain"
    fi
    ujrat payout report || exit 1
    for platform in $platforms; do
        # columns: reference, gross, currency, outcome, why
        awk -v platform="$platform" '$4 == "REFUSED" {
            printf "Refused and not paid: %s %s, %s %s\n", platform, $1, $3, $2
            $1 = $2 = $3 = $4 = ""; sub(/^ +/, ""); sub(/: /, ":\n  "); print "  " $0
        }' "$demo/log/submit-$platform.txt"
    done
    for platform in $platforms; do
        printf '%-14s paid by %s\n' "$platform" "$(door "$platform")"
    done
    sed -n '/UNCLAIMED/p' "$demo/log/submit-peopleperhour.txt" | grep -q . &&
        echo 'One of peopleperhour is for an address that nobody has: UNCLAIMED, its money is set aside.'
    printf '%s settled, %s rejected, %s returned and %s partly returned by their banks; what did\nnot land is back in the float.\n' \
        "$(count_of SETTLED)" "$(count_of REJECTED)" "$(count_of RETURNED)" "$(count_of PARTLY_RETURNED)"

    title "Three banks, by their own books"
    print_banks

    title 'Trial balance, as an auditor reads it from the database'
    ujrat trial-balance || exit 1

    title 'The books, checked from one file with no database (ujrat-audit verify)'
    env -u UJRAT_DB -u UJRAT_OPERATOR_DB ujrat-audit verify "$demo/audit/books.ujlog" --key "$demo/audit/keys.pem" \
        --witness "$demo/audit/witness.jsonl" || exit 1

    title "One freelancer's tax year (ujrat statement)"
    freelancers_year 2>/dev/null || exit 1

    title 'What others would have taken of the same money (illustrative)'
    ujrat compare deploy/demo/competitors.csv || exit 1
    echo "Ujrat's row is what these books hold, at terms made up for the demo."
}

print_next() {
    title 'It is still running. Try next'
    cat <<END
    . var/demo/env
    ujrat quote 1000 USD --as upwork
    ujrat payout submit deploy/platforms/fiverr/payouts.xml --as fiverr  ${dim}# paid once$plain
    ujrat payout watch --as freelancer                              ${dim}# Ctrl-C$plain
    curl --cacert "\$UJRAT_CA" "\$UJRAT_REST/v1/oauth2/token" -d grant_type=client_credentials \\
        -K - <<<"user = \$PAYPAL_CLIENT_ID_UPWORK:\$PAYPAL_CLIENT_SECRET_UPWORK" ${dim}# docs/paypal.md$plain
    ujrat-audit trail upwork UPW-2026-07-001                        ${dim}# with its proof$plain
    ujrat log status                                                ${dim}# every block is sealed$plain
    ujrat bank books --state var/demo/bank-SCBL.state               ${dim}# what the bank itself says$plain
    ujrat settle alerts --all                                       ${dim}# what somebody had to look at$plain

Gateway ${bold}localhost:$port${plain} (mutual TLS and gRPC; REST by bearer token); its log, the banks' and all else
are under var/demo, the auditor's evidence, a receipt and a statement (PDF) in var/demo/audit.
A payout from a program of yours: docs/quickstart.md. For auditors: docs/auditing.md.
For banks: docs/bank-guide.md.
The rates are those of 17 July 2026, so the demo's gateway is told to take old
rates (rate_age_max = 3650d); by default it refuses to price with rates older
than a few days.
End it with: ${bold}make demo-stop$plain
END
}

demo_lock
exec {to_user}>&1 {to_user_err}>&2
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$step_log"
printf '%sUjrat%s: platforms pay, rupees land, the books balance.\n\n' "$bold" "$plain"
now_step='Debian packages'
demo_packages
now_step='Build'
say 'Building (the first time takes about a minute)'
demo_build
now_step=
PATH=$bin:$PATH
title 'Setting up'
step 'A private PostgreSQL 15 and the ledger in it' demo_database
step 'Certificates for four platforms, three banks and an auditor' demo_pki
choose_port
UJRAT_OPERATOR_DB=$(db_uri ujrat_operator) || exit 1
export UJRAT_OPERATOR_DB
demo_env "$port"
. "$demo/env"
step 'Four platforms with their terms, three banks' open_books
step 'A key for each book, to sign its log' make_keys
step 'A client of the REST API for each platform' make_clients
step 'Prefunded floats in five currencies' fill_floats
step 'Rates: State Bank of Pakistan, 17 July 2026' import_rates
step 'Another sheet under that name: customer rates, refused' refuse_wrong_rates
step 'Settings of the gateway' write_config
step "The gateway (ujratd) on localhost:$port" start_gateway
step 'Freelancers registered, to be paid by their e-mail addresses' register_freelancers
step 'What was agreed with three banks; keys to sign files with' agree_terms
step 'Settlement (ujrat-settle): windows, deadlines, ISO 20022 files' start_settle
step 'Three sandbox banks: one at once, one by windows, one by files' start_banks
title 'Paying'
for platform in $platforms; do
    step "$platform: $(door "$platform")" pay_by_its_door "$platform"
done
step "A window closes: what waited for it is handed out" close_window
step 'Banks confirm, reject, return; one has to be asked' wait_for_banks
step 'An auditor takes the public keys, the signed heads and the log' take_evidence
step "Each bank's statement (camt.053) is reconciled" reconcile_banks
step 'A freelancer gets a receipt that proves itself' give_receipt upwork UPW-2026-07-001
step "and a statement of the tax year so far" freelancers_year --pdf "$demo/audit/statement.pdf"
now_step='the report'
print_story
print_next
printf '%s\n%d s in all.%s\n' "$green" $((SECONDS - began)) "$plain"
done_well=1
