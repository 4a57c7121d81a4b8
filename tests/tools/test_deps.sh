#!/bin/bash
# tools/deps.sh against a pretended Debian: what it asks apt-get for, and when it does not.
# shellcheck disable=SC2317  # tests are called by their names
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh
fake=$scratch/bin
mkdir "$fake"

pretend() { # NAME SCRIPT
    printf '#!/bin/sh\n%s\n' "$2" >"$fake/$1"
    chmod 755 "$fake/$1"
}
# ROOT (yes|no): with these packages missing
missing() {
    local uid=$1 all
    shift
    all=" $* "
    pretend id "echo $uid"
    pretend apt-get "echo \"apt-get \$*\" >>$scratch/asked; case \" \$* \" in *' install '*) exit \${APT_FAILS:-0} ;; esac"
    pretend dpkg-query "shift 3; for p in \"\$@\"; do case \"$all\" in *\" \$p \"*) ;; *) echo \"\$p installed\" ;; esac; done"
    rm -f "$scratch/asked"
}
deps() { PATH=$fake:$PATH tools/deps.sh "$@"; }

does_nothing_when_all_is_there() {
    missing 0
    [ -z "$(deps build; deps lint; deps demo)" ] && [ ! -e "$scratch/asked" ]
}
asks_for_what_is_missing_and_no_more() {
    missing 0 libevent-dev libpq-dev
    deps build && tail -n 1 "$scratch/asked" | grep -q -- '--no-install-recommends libevent-dev libpq-dev$'
}
fails_when_apt_does_and_prints_the_line() {
    missing 0 libevent-dev
    ! APT_FAILS=100 deps build >"$scratch/said" 2>&1 &&
        grep -q 'apt-get update && apt-get install -y --no-install-recommends libevent-dev' "$scratch/said"
}
without_root_or_sudo_it_prints_the_line_and_fails() {
    missing 1000 libevent-dev
    pretend sudo 'exit 1'
    ! deps build </dev/null >"$scratch/said" 2>&1 && rm "$fake/sudo" &&
        grep -q 'apt-get install -y --no-install-recommends libevent-dev' "$scratch/said" && [ ! -e "$scratch/asked" ]
}
uses_sudo_when_not_root() {
    missing 1000 libevent-dev
    pretend sudo "[ \"\$1\" != -n ] || exit 0; echo sudo >>$scratch/asked; exec \"\$@\""
    deps build && grep -q sudo "$scratch/asked"
    local rc=$?
    rm -f "$fake/sudo"
    return $rc
}
a_node_of_ones_own_is_enough() {
    missing 0 nodejs npm
    pretend node 'echo v20.1.0'
    pretend npm :
    deps test && [ ! -e "$scratch/asked" ]
}
an_old_node_is_not() {
    missing 0 nodejs npm
    pretend node 'echo v12.1.0'
    pretend npm :
    deps test && grep -q 'nodejs npm$' "$scratch/asked"
}
refuses_a_group_it_does_not_know() { ! deps everything; }

run_tests
