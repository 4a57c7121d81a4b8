#!/bin/sh
# Installs the Debian packages that are missing: deps.sh [build|test|demo|lint]   (default: build)
# Says nothing and takes no time when all are there. Touches no PostgreSQL cluster and starts none.
set -eu
export LC_ALL=C

build='gcc make pkg-config libc6-dev libevent-dev libnghttp2-dev zlib1g-dev libssl-dev libcurl4-openssl-dev
       libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libprotobuf-dev libjansson-dev libpq-dev libxml2-dev libicu-dev libpango1.0-dev libqrencode-dev fonts-noto-core
       postgresql-15 openssl ca-certificates'
test='libcmocka-dev curl procps libxml2-utils poppler-utils zbar-tools hledger beancount python3 python3-pytest python3-pytest-xdist python3-grpcio
      python3-grpc-tools python3-protobuf python3-psycopg python3-cryptography python3-beancount python3-yaml python3-jsonschema
      chromium chromium-driver'
lint='clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev cppcheck shellcheck'

# A Node of one's own (nvm, nodesource) is as good as Debian's.
node_is_usable() {
    command -v npm >/dev/null && command -v node >/dev/null || return 1
    major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\)\..*/\1/')
    [ "${major:-0}" -ge 18 ] 2>/dev/null
}

case ${1:-build} in
build) want=$build ;;
demo) want="$build curl" ;;
test)
    want="$build $test"
    node_is_usable || want="$want nodejs npm"
    ;;
lint) want="$build $lint" ;;
*)
    echo "usage: $0 [build|test|demo|lint]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "deps: this is not a Debian machine; needed are what these packages hold: $want" >&2
    exit 1
fi

# shellcheck disable=SC2016,SC2086  # dpkg's own ${...}; a list of words
have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $want 2>/dev/null | sed -n 's/ installed$//p') || :
missing=
for p in $want; do
    case "
$have
" in
    *"
$p
"*) ;;
    *) missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || exit 0

echo "deps: to be installed from Debian:$missing"
apt="apt-get install -y --no-install-recommends$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root=sudo
        echo "deps: with sudo, which may ask for your password"
    else
        printf 'deps: that needs root, and there is no usable sudo. As root, run\n\n    apt-get update && %s\n\n' "$apt" >&2
        exit 1
    fi
fi

# While PostgreSQL comes in, no "main" cluster is made and none is started; both notes are taken away again.
guard_cluster=/etc/postgresql-common/createcluster.d/ujrat.conf
guard_start=/usr/sbin/policy-rc.d
guards() { # on|off
    # shellcheck disable=SC2016  # the inner shell's own
    $as_root sh -euc '
        on=$1 cluster=$2 start=$3
        mark="# ujrat: only while installing"
        if [ "$on" = on ]; then
            mkdir -p "$(dirname "$cluster")"
            printf "%s\ncreate_main_cluster = false\n" "$mark" >"$cluster"
            [ -e "$start" ] || {
                printf "#!/bin/sh\n%s\n[ \"\$1\" != postgresql ] || exit 101\n" "$mark" >"$start"
                chmod 755 "$start"
            }
        else
            for f in "$cluster" "$start"; do
                if grep -qsxF "$mark" "$f"; then rm -f "$f"; fi
            done
            rmdir "$(dirname "$cluster")" 2>/dev/null || :
        fi' guards "$1" "$guard_cluster" "$guard_start"
}
case "$missing " in
*' postgresql-15 '*)
    trap 'guards off' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    guards on
    ;;
esac

failed() {
    printf 'deps: %s did not work. When apt-get works again, run as root\n\n    apt-get update && %s\n\n' "$1" "$apt" >&2
    exit 1
}
run() { # the packages ask no questions and need no locale
    $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}
log=$(mktemp "${TMPDIR:-/tmp}/ujrat-deps.XXXXXX")
echo "deps: apt-get update"
run apt-get -q=2 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update >"$log" 2>&1 || {
    cat "$log" >&2
    echo 'deps: apt-get update had trouble; going on with what it got' >&2
}
echo "deps: $apt"
# All of it goes to the log; the milestones and a dot for every tenth package are shown.
# shellcheck disable=SC2086
rc=$({ {
    run apt-get -q=1 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        install -y --no-install-recommends $missing 2>&1 3>&-
    echo $? >&3
} | tee "$log" | {
    n=0
    while read -r line; do
        case $line in
        'Need to get '* | 'Fetched '*) echo "deps: $line" ;;
        'Setting up '*) n=$((n + 1)); [ $((n % 10)) != 0 ] || printf . ;;
        esac
    done
    [ $n -lt 10 ] || echo
} >&4; } 3>&1) 4>&1
[ "$rc" = 0 ] || {
    tail -n 30 "$log" >&2
    rm -f "$log"
    failed 'apt-get install'
}
rm -f "$log"
echo "deps: done"
