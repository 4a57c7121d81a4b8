#!/bin/bash
# tools/pki.sh makes what OpenSSL accepts, and nothing else.
# shellcheck disable=SC2317  # tests are called by their names
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh
pki=$scratch/pki
tools/pki.sh "$pki"

verify() { openssl verify -CAfile "$pki/ca.pem" -crl_check -CRLfile "$pki/crl.pem" "$pki/$1.pem" 2>&1; }
san() { openssl x509 -in "$pki/$1.pem" -noout -ext subjectAltName; }

every_principal_is_trusted_and_named_by_its_uri() {
    local pair
    for pair in upwork=platform/upwork fiverr=platform/fiverr freelancer=platform/freelancer \
        peopleperhour=platform/peopleperhour MUCB=bank/MUCB SCBL=bank/SCBL HABB=bank/HABB auditor=auditor/demo \
        operator=operator/demo; do
        verify "${pair%=*}" && san "${pair%=*}" | grep -qxF "    URI:ujrat://${pair#*=}" || return 1
    done
}
server_is_named_for_this_machine() { verify server && san server | grep -q 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1'; }
keys_are_for_their_owner_alone() { [ -z "$(find "$pki" -name '*.key' ! -perm 600)" ]; }
a_second_run_changes_nothing() {
    local before
    before=$(sha256sum "$pki"/*.pem "$pki"/*.key)
    tools/pki.sh "$pki" && [ "$(sha256sum "$pki"/*.pem "$pki"/*.key)" = "$before" ]
}
issues_a_certificate_that_has_expired() {
    tools/pki.sh issue "$pki" stale ujrat://platform/upwork -2 || return 1
    verify stale | grep -q 'certificate has expired'
}
revokes_a_certificate() {
    tools/pki.sh issue "$pki" gone ujrat://platform/upwork 5 && verify gone && tools/pki.sh revoke "$pki" gone || return 1
    verify gone | grep -q 'certificate revoked'
}
makes_an_rsa_server() {
    tools/pki.sh server "$pki" rsa --rsa DNS:example.test && verify rsa || return 1
    openssl x509 -in "$pki/rsa.pem" -noout -text | grep -q 'Public-Key: (2048 bit)'
}
refuses_a_folder_of_someone_else() {
    mkdir "$scratch/theirs" && echo mine >"$scratch/theirs/ca.pem"
    ! tools/pki.sh "$scratch/theirs" && [ "$(cat "$scratch/theirs/ca.pem")" = mine ]
}
refuses_a_name_that_is_a_path() { ! tools/pki.sh issue "$pki" ../x ujrat://platform/upwork; }
works_in_a_folder_of_any_name() { tools/pki.sh "$scratch/it's a \"\$name; #1" && [ -s "$scratch/it's a \"\$name; #1/upwork.pem" ]; }
refuses_a_name_with_openssl_options_in_it() { ! tools/pki.sh issue "$pki" x 'ujrat://a,DNS:b'; }

run_tests
