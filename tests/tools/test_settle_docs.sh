#!/bin/bash
# What ujrat-settle says of itself: the settings page is current, the sample file is one it takes, and what it cannot use it
# refuses with a line that says why.
# shellcheck disable=SC2317  # tests are called by their names
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh
settle=${UJRAT_BIN:-build/release/bin}/ujrat-settle
unset UJRAT_SETTLE_DB

refuses() { # CODE WORD ARGUMENT...: it ends with that code and says that word
    local code=$1 word=$2 said
    shift 2
    said=$("$settle" "$@" 2>&1)
    [ $? = "$code" ] && grep -qF -- "$word" <<<"$said" && return 0
    echo "$said"
    return 1
}

config() { # LINE...: what files need, whole but for what is said
    mkdir -p "$scratch/banks" "$scratch/keys"
    [ -e "$scratch/sign.pem" ] || (umask 077 && openssl genpkey -algorithm ed25519 -out "$scratch/sign.pem")
    printf '%s\n' 'db = postgresql:///x' "$@" >"$scratch/conf"
}

files() {
    config "bank_folders = $scratch/banks" "bank_keys = $scratch/keys" "signing_key = $scratch/sign.pem" \
        "pii_keys = $scratch/pii.keys" 'our_bic = UJRTPKKA' 'our_name = "Ujrat (Pvt) Limited"' 'our_town = Karachi' "$@"
    (umask 077 && printf 'fingerprint %064d\n1 %064d\n' 1 2 >"$scratch/pii.keys")
}

settings_page_is_what_the_table_prints() { diff -u docs/config-settle.md <("$settle" --print-config-docs); }

sample_file_is_read_back() {
    "$settle" --print-config >"$scratch/sample"
    refuses 78 'UJRAT_SETTLE_DB' --check --config "$scratch/sample" &&
        UJRAT_SETTLE_DB=postgresql:///x "$settle" --check --config "$scratch/sample"
}

files_need_all_that_files_need() {
    local name
    files && "$settle" --check --config "$scratch/conf" || return 1
    for name in signing_key pii_keys our_bic our_name our_town bank_keys; do
        refuses 78 "$name" --check --config "$scratch/conf" --set "$name=" || return 1
    done
    "$settle" --check --config "$scratch/conf" --set bank_keys= --set unsigned_files=true
}

folders_and_keys_must_be_there_and_private() {
    files
    refuses 78 'bank_folders' --check --config "$scratch/conf" --set bank_folders=/nowhere &&
        refuses 78 'xsd_folder' --check --config "$scratch/conf" --set xsd_folder=/nowhere &&
        refuses 78 'signing_key' --check --config "$scratch/conf" --set signing_key=/nowhere.pem &&
        chmod 644 "$scratch/sign.pem" && refuses 78 'mode 0600' --check --config "$scratch/conf" &&
        chmod 600 "$scratch/sign.pem" "$scratch/pii.keys" && chmod 644 "$scratch/pii.keys" &&
        refuses 78 'pii_keys' --check --config "$scratch/conf"
}

database_is_not_taken_from_the_command_line() {
    config
    refuses 78 'command line' --check --config "$scratch/conf" --set db=postgresql:///x
}

database_file_must_be_private_and_is_not_said() {
    config
    echo 'postgresql:///x?password=tell-nobody' >"$scratch/uri"
    chmod 644 "$scratch/uri"
    echo "db_file = $scratch/uri" >"$scratch/conf"
    refuses 78 'mode 0600' --check --config "$scratch/conf" &&
        ! "$settle" --check --config "$scratch/conf" 2>&1 | grep -q tell-nobody &&
        chmod 600 "$scratch/uri" && "$settle" --check --config "$scratch/conf"
}

unknown_settings_are_refused_by_name_and_line() {
    config 'intervall = 2s'
    refuses 78 'conf:2: intervall' --check --config "$scratch/conf"
}

a_ledger_that_does_not_answer_is_69() {
    config 'db_start_timeout = 100ms'
    sed -i "s|^db = .*|db = \"postgresql:///x?host=$scratch\"|" "$scratch/conf"
    refuses 69 'ledger.unreachable' --once --config "$scratch/conf"
}

command_line_that_is_not_understood_ends_with_64() {
    refuses 64 '--nonsense' --nonsense && refuses 64 '--config' --config
}

version_and_help_are_printed_on_standard_output() {
    "$settle" --version 2>/dev/null | grep -q '^ujrat-settle [0-9]' && "$settle" --help 2>/dev/null | grep -q 'Exit codes'
}

every_option_and_exit_status_is_in_the_manual() {
    local page=docs/man/ujrat-settle.8 word
    for word in $("$settle" --help | grep -oE '^  --[a-z-]+' | tr -d ' '); do
        tr -d '\\' <"$page" | grep -qF -- "$word" || { echo "$word is not in $page"; return 1; }
    done
    for word in $("$settle" --help | sed -n '/Exit codes/,$p' | grep -oE '^ +[0-9]+'); do
        grep -qxF ".B $word" "$page" || { echo "$word is not in $page"; return 1; }
    done
}

run_tests
