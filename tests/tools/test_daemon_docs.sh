#!/bin/bash
# What ujratd says of itself: the reference pages are current, the sample file is one it takes, and what it cannot use
# it refuses with a line that says why.
# shellcheck disable=SC2317  # tests are called by their names
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh
ujratd=${UJRAT_BIN:-build/release/bin}/ujratd
unset UJRAT_APP_DB

refuses() { # CODE WORD ARGUMENT...: it ends with that code and says that word
    local code=$1 word=$2 said
    shift 2
    said=$("$ujratd" "$@" 2>&1)
    [ $? = "$code" ] && grep -qF -- "$word" <<<"$said" && return 0
    echo "$said"
    return 1
}

config() { # LINE...: a file that is whole but for what is said
    printf '%s\n' 'tls_cert = /nowhere.pem' 'tls_key = /nowhere.key' 'tls_client_ca = /nowhere.pem' 'pii_keys = /nowhere.keys' "$@" >"$scratch/conf"
}

settings_page_is_what_the_table_prints() { diff -u docs/config.md <("$ujratd" --print-config-docs); }
errors_page_is_what_the_table_prints() { diff -u docs/errors.md <("$ujratd" --print-errors); }

sample_file_is_read_back() {
    "$ujratd" --print-config >"$scratch/sample"
    # It has all it needs but certificates that are there.
    refuses 78 'tls_cert' --check-config --config "$scratch/sample"
}

unknown_settings_are_refused_by_name_and_line() {
    config 'db = postgresql:///x' 'wrokers = 2'
    refuses 78 'conf:6: wrokers' --check-config --config "$scratch/conf"
}

values_out_of_range_are_refused() {
    config 'db = postgresql:///x'
    refuses 78 'workers' --check-config --config "$scratch/conf" --set workers=99
}

database_is_not_taken_from_the_command_line() {
    config
    refuses 78 'command line' --check-config --config "$scratch/conf" --set db=postgresql:///x
}

database_file_must_be_private() {
    echo postgresql:///x >"$scratch/uri"
    chmod 644 "$scratch/uri"
    config "db_file = $scratch/uri"
    refuses 78 'mode 0600' --check-config --config "$scratch/conf"
}

database_must_be_named() {
    config
    refuses 78 'UJRAT_APP_DB' --check-config --config "$scratch/conf"
}

listen_must_be_an_address_and_a_port() {
    config 'db = postgresql:///x'
    refuses 78 'listen' --check-config --config "$scratch/conf" --set listen=localhost:8443 &&
        refuses 78 'listen' --check-config --config "$scratch/conf" --set listen=127.0.0.1:70000 &&
        refuses 78 'listen' --check-config --config "$scratch/conf" --set listen=127.0.0.1
}

command_line_that_is_not_understood_ends_with_64() {
    refuses 64 '--nonsense' --nonsense && refuses 64 '--config' --config
}

version_and_help_are_printed_on_standard_output() {
    "$ujratd" --version 2>/dev/null | grep -q '^ujratd [0-9]' && "$ujratd" --help 2>/dev/null | grep -q 'Exit codes'
}

run_tests
