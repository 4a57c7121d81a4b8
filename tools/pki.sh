#!/bin/bash
# A development PKI: one root, a server, and a client certificate for each principal, named by its SAN URI.
#
#   pki.sh DIR                          all of it; what is there and valid stays
#   pki.sh issue DIR NAME URI [DAYS]    NAME.pem and NAME.key; with -DAYS it expired that many days ago
#   pki.sh server DIR NAME [--rsa] [--days DAYS] [SAN...]    such as DNS:localhost or IP:127.0.0.1
#   pki.sh revoke DIR NAME              and crl.pem says so
#   pki.sh crl DIR                      crl.pem afresh
#
# Not for production: the root's key lies beside what it signs.
set -euo pipefail
export LC_ALL=C
unset OPENSSL_CONF
umask 077

local_names='DNS:localhost,IP:127.0.0.1,IP:::1'
principals='
    upwork        ujrat://platform/upwork
    fiverr        ujrat://platform/fiverr
    freelancer    ujrat://platform/freelancer
    peopleperhour ujrat://platform/peopleperhour
    MUCB          ujrat://bank/MUCB
    SCBL          ujrat://bank/SCBL
    HABB          ujrat://bank/HABB
    auditor       ujrat://auditor/demo
    operator      ujrat://operator/demo'

die() {
    echo "pki: $*" >&2
    exit 1
}

quietly() { # openssl talks on stderr even when all is well
    local said
    said=$("$@" 2>&1) || die "$* failed:
$said"
}

open_dir() { # DIR: absolute, locked, with a root in it
    mkdir -p "$1"
    dir=$(cd "$1" && pwd)
    ca=$dir/ca
    # an expired root is made again with all it signed, so be sure whose folder this is
    [ -d "$ca" ] || [ -z "$(ls -A "$dir")" ] || die "$dir holds files that are not ours; name a new folder"
    chmod 755 "$dir"
    mkdir -p "$ca/issued"
    exec 9>"$ca/lock"
    flock 9
    write_config
    if ! openssl x509 -in "$dir/ca.pem" -noout -checkend 86400 >/dev/null 2>&1; then make_root; fi
}

write_config() {
    # what means something in openssl's files is taken as written
    local dir_q ca_q
    # shellcheck disable=SC2016
    dir_q=$(sed 's/[\\"'"'"'`$#;]/\\&/g' <<<"$dir") ca_q=$(sed 's/[\\"'"'"'`$#;]/\\&/g' <<<"$ca")
    cat >"$ca/openssl.cnf" <<END
[req]
distinguished_name = name
prompt = no
utf8 = yes
[name]
[root]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = here
[here]
database = $ca_q/index.txt
new_certs_dir = $ca_q/issued
certificate = $dir_q/ca.pem
private_key = $dir_q/ca.key
rand_serial = yes
crlnumber = $ca_q/crlnumber
default_md = sha256
default_crl_days = 3650
unique_subject = no
policy = any
[any]
organizationName = optional
commonName = supplied
END
}

new_key() { # FILE [rsa]: written under another name first, so that a key is never half there
    if [ "${2:-}" = rsa ]; then
        quietly openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.new"
    else
        quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.new"
    fi
    chmod 600 "$1.new"
    mv "$1.new" "$1"
}

make_root() {
    rm -rf "$ca/issued" "$ca"/index.txt* "$dir"/*.pem "$dir"/*.key
    mkdir "$ca/issued"
    : >"$ca/index.txt"
    echo 01 >"$ca/crlnumber"
    new_key "$dir/ca.key"
    quietly openssl req -x509 -new -config "$ca/openssl.cnf" -extensions root -key "$dir/ca.key" -days 3650 \
        -subj '/O=Ujrat development/CN=Ujrat development root' -out "$dir/ca.pem"
    chmod 644 "$dir/ca.pem"
    make_crl
}

make_crl() {
    quietly openssl ca -config "$ca/openssl.cnf" -gencrl -out "$dir/crl.pem.new"
    chmod 644 "$dir/crl.pem.new"
    mv "$dir/crl.pem.new" "$dir/crl.pem"
}

sign() { # NAME PURPOSE SAN DAYS [rsa]
    local name=$1 from to
    [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_-]*$ && $name != ca && $name != crl ]] || die "'$name' is no name for a file"
    [[ $4 =~ ^-?[0-9]+$ && $4 != 0 ]] || die "days are a number, not '$4'"
    if [ "$4" -gt 0 ]; then # an hour back, for clocks that differ
        from=$(date -u -d '1 hour ago' +%Y%m%d%H%M%SZ)
        to=$(date -u -d "$4 days" +%Y%m%d%H%M%SZ)
    else
        from=$(date -u -d "$((-$4 + 30)) days ago" +%Y%m%d%H%M%SZ)
        to=$(date -u -d "$((-$4)) days ago" +%Y%m%d%H%M%SZ)
    fi
    new_key "$dir/$name.key" "${5:-}"
    quietly openssl req -new -config "$ca/openssl.cnf" -key "$dir/$name.key" \
        -subj "/O=Ujrat development/CN=$name" -out "$ca/$name.csr"
    cat >"$ca/$name.ext" <<END
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $2
subjectAltName = $3
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
    quietly openssl ca -batch -notext -config "$ca/openssl.cnf" -extfile "$ca/$name.ext" \
        -startdate "$from" -enddate "$to" -in "$ca/$name.csr" -out "$dir/$name.pem.new"
    rm -f "$ca/$name.csr" "$ca/$name.ext"
    chmod 644 "$dir/$name.pem.new"
    mv "$dir/$name.pem.new" "$dir/$name.pem"
}

is_good() { # NAME: there, ours, and not about to end
    [ -f "$dir/$1.key" ] && openssl x509 -in "$dir/$1.pem" -noout -checkend 604800 >/dev/null 2>&1
}

cmd_all() {
    open_dir "$1"
    is_good server || sign server serverAuth "$local_names" 825
    while read -r name uri; do
        [ -n "$name" ] || continue
        is_good "$name" || sign "$name" clientAuth "URI:$uri" 825
    done <<<"$principals"
}

cmd_issue() {
    [ $# -ge 3 ] || die "issue DIR NAME URI [DAYS]"
    [[ $3 =~ ^[a-z]+:[][A-Za-z0-9/._~:-]+$ ]] || die "'$3' is no URI"
    open_dir "$1"
    sign "$2" clientAuth "URI:$3" "${4:-825}"
}

cmd_server() {
    [ $# -ge 2 ] || die "server DIR NAME [--rsa] [--days DAYS] [SAN...]"
    local where=$1 name=$2 kind='' days=825 san=''
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
        --rsa) kind=rsa ;;
        --days)
            days=$2
            shift
            ;;
        *) san=$san${san:+,}$1 ;;
        esac
        shift
    done
    open_dir "$where"
    sign "$name" serverAuth "${san:-$local_names}" "$days" $kind
}

cmd_revoke() {
    [ $# = 2 ] || die "revoke DIR NAME"
    open_dir "$1"
    [ -f "$dir/$2.pem" ] || die "there is no $dir/$2.pem"
    quietly openssl ca -config "$ca/openssl.cnf" -revoke "$dir/$2.pem" -crl_reason keyCompromise
    make_crl
}

cmd_crl() {
    open_dir "$1"
    make_crl
}

command -v openssl >/dev/null || die "openssl is not installed; run: make deps"
case ${1:-} in
issue | server | revoke | crl)
    command=$1
    shift
    "cmd_$command" "$@"
    ;;
'' | -*)
    sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
*) cmd_all "$1" ;;
esac
