# shellcheck shell=bash
# Sourced by the tests of our shell tools: every function defined after this line is a test, and passes by exit 0.
# `run_tests` runs them in order of their names and says "ok - name" or "not ok - name".
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ujrat-test.XXXXXX")
at_exit=()
tap_cleanup() {
    local c
    for c in "${at_exit[@]}"; do eval "$c"; done
    rm -rf "$scratch"
}
trap tap_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run_tests() { # a test's name has a verb and says what holds; helpers are one word
    local t failed=0
    for t in $(compgen -A function | grep _ | grep -vxE 'tap_cleanup|run_tests'); do
        if "$t" >"$scratch/out" 2>&1; then
            echo "ok - $t"
        else
            echo "not ok - $t"
            sed 's/^/#   /' "$scratch/out"
            failed=1
        fi
    done
    exit $failed
}
