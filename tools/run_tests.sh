#!/bin/bash
# Every test in the tree, against a private cluster, in one go; the last line says `N passed, N failed`.
#
#   run_tests.sh [--no-deps] [unit|fuzz|pg|tools|py]... [-- PYTEST-ARGUMENT...]     default: all of them
#
# From the environment: SAN (asan|tsan|cov), CI (true: warnings are errors), JOBS, KEEP=1 (leave the work folder).
# Each test binary of tests/pg gets a database of its own, migrated, in UJRAT_TEST_DB (superuser's URI); the cluster's
# folder is UJRAT_TEST_CLUSTER. Logs stay in build/*/test-logs.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
san=${SAN:-}
build=build/${san:-release}
bin=$PWD/$build/bin
logs=$build/test-logs
jobs=${JOBS:-$(nproc)}
started=$SECONDS

deps=yes
want=()
pytest_arguments=()
while [ $# -gt 0 ]; do
    case $1 in
    --no-deps) deps= ;;
    unit | fuzz | pg | tools | py) want+=("$1") ;;
    --)
        shift
        pytest_arguments=("$@")
        break
        ;;
    *)
        echo "run_tests: what is '$1'?" >&2
        exit 2
        ;;
    esac
    shift
done
[ ${#want[@]} -gt 0 ] || want=(unit fuzz pg tools py)
wants() { [[ " ${want[*]} " == *" $1 "* ]]; }

# ---------------------------------------------------------------- what we start, we end
work=
pids=()

# All our suites started, however deep: they carry this run's folder in their environment.
strays() {
    local p
    [ -n "$work" ] || return 0
    for p in /proc/[0-9]*; do
        [ "$(cat "$p/comm" 2>/dev/null)" != postgres ] || continue # a cluster is ended as one
        if grep -qzsxF "UJRAT_TEST_WORK=$work" "$p/environ"; then echo "${p#/proc/}"; fi
    done
}

finish() {
    local rc=$? pid cluster
    trap '' INT TERM
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || :; done
    for pid in $(strays); do kill -TERM "$pid" 2>/dev/null || :; done
    for _ in {1..100}; do
        [ -n "$(strays)" ] || break
        sleep 0.1
    done
    for pid in $(strays); do kill -KILL "$pid" 2>/dev/null || :; done
    if [ -n "$work" ]; then
        while read -r cluster; do
            tools/pg_cluster.sh destroy "$cluster" || :
        done < <(find "$work" -name pgpass -printf '%h\n' 2>/dev/null)
        if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
    fi
    exit $rc
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---------------------------------------------------------------- what they need
[ -z "$deps" ] || tools/deps.sh test
echo "== building${san:+ with $san}"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL "${MAKE:-make}" --no-print-directory -s -j"$jobs" \
    ${san:+SAN=$san} ${CI:+CI=$CI} ${TEST_CC:+CC=$TEST_CC} test-programs

rm -rf "$logs"
mkdir -p "$logs"
work=$(mktemp -d "${TMPDIR:-/tmp}/ujrat-test.XXXXXX")
chmod 755 "$work" # as root, the cluster inside belongs to another
export UJRAT_BIN=$bin UJRAT_BUILD=$PWD/$build UJRAT_TEST_WORK=$work
export CMOCKA_MESSAGE_OUTPUT=TAP PYTHONDONTWRITEBYTECODE=1
common=print_stacktrace=1
export ASAN_OPTIONS=$common:detect_leaks=1:exitcode=99 UBSAN_OPTIONS=$common TSAN_OPTIONS=$common:exitcode=99
export LSAN_OPTIONS=exitcode=99
# A daemon's report would be lost with its stderr: there every report becomes a file, and every file a failure.
reports=$PWD/$logs/sanitizer
[ ! -f tools/lsan.supp ] || LSAN_OPTIONS+=:print_suppressions=0:suppressions=$PWD/tools/lsan.supp

need_cluster() {
    export UJRAT_TEST_CLUSTER=$work/pg
    tools/pg_cluster.sh status "$UJRAT_TEST_CLUSTER" || tools/pg_cluster.sh start --tune test "$UJRAT_TEST_CLUSTER"
}

fresh_database() { # NAME: prints its URI
    local uri
    tools/pg_cluster.sh createdb "$UJRAT_TEST_CLUSTER" "$1"
    uri=$(tools/pg_cluster.sh uri "$UJRAT_TEST_CLUSTER" postgres "$1")
    if [ -x "$bin/ujrat" ]; then "$bin/ujrat" db migrate --db "$uri" >&2; fi
    echo "$uri"
}

# ---------------------------------------------------------------- suites: each is a name, a way to count, a command
# A count goes to LOG.count as "PASSED FAILED SKIPPED".
count_tap() { # LOG EXIT: TAP, by cmocka or tests/tools/tap.sh
    awk -v code="$2" '
        /^1\.\.[0-9]+/ { sub(/^1\.\./, ""); planned += $0 + 0; next }
        /^(not )?ok [0-9]* *# SKIP/ { skipped++; next }
        /^ok / { passed++; next }
        /^not ok [0-9-]/ { failed++ }
        END {
            seen = passed + failed + skipped
            if (planned > seen) failed += planned - seen # it died in the middle
            if (code != 0 && !failed) failed++
            if (code == 0 && seen + failed == 0) failed++ # a suite without a test tests nothing
            print passed + 0, failed + 0, skipped + 0
        }' "$1"
}

count_exit() { # LOG EXIT: the whole is one test
    if [ "$2" = 0 ]; then echo 1 0 0; else echo 0 1 0; fi
}

count_junit() { # LOG EXIT
    local xml=${1%.log}.xml n=(0 0 0)
    # shellcheck disable=SC2207
    [ ! -f "$xml" ] || n=($(/usr/bin/python3 - "$xml" <<'PY'
import sys, xml.etree.ElementTree as tree
passed = failed = skipped = 0
for case in tree.parse(sys.argv[1]).iter("testcase"):
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}: failed += 1
    elif "skipped" in kinds: skipped += 1
    else: passed += 1
print(passed, failed, skipped)
PY
    ))
    # 5: nothing was collected
    if [ "$2" != 0 ] && [ "$2" != 5 ] && [ "${n[1]}" = 0 ]; then n[1]=1; fi
    echo "${n[@]}"
}

run_unit() { timeout -k 10 "${UJRAT_TEST_SECONDS_MAX:-120}" "$1"; }
run_pg() {
    UJRAT_TEST_DB=$(fresh_database "t_$(basename "$1")") || return 1
    export UJRAT_TEST_DB
    timeout -k 10 "${UJRAT_TEST_SECONDS_MAX:-300}" "$1"
}
run_fuzz() {
    local name corpus
    name=$(basename "$1")
    corpus=tests/fuzz/corpus/${name#fuzz_}
    [ -d "$corpus" ] || corpus=tests/fuzz/corpus/$name
    timeout -k 10 120 "$1" "$corpus"
}
run_tools() { timeout -k 10 300 "$1"; }
run_py() {
    local parallel=(-n 2 --dist loadfile) o
    for o in ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS LSAN_OPTIONS; do export "$o=${!o}:log_path=$reports"; done
    /usr/bin/python3 -c 'import xdist' 2>/dev/null || parallel=()
    timeout -k 20 3600 /usr/bin/python3 -m pytest -q -p no:cacheprovider "${parallel[@]}" --durations=10 -rfEs \
        --junitxml="$logs/py_pytest.xml" tests "${pytest_arguments[@]}"
}

total=(0 0 0)
running=0
suite() { # KIND COUNT PATH
    local kind=$1 count=$2 name log
    name=$(basename "$3")
    log=$logs/${kind}_$name.log
    [ "$running" -lt "$jobs" ] || reap
    (
        trap - EXIT INT TERM
        set +e
        begin=${EPOCHREALTIME/./}
        "run_$kind" "$3" >"$log" 2>&1 </dev/null
        rc=$?
        end=${EPOCHREALTIME/./}
        "$count" "$log" $rc >"$log.count"
        printf '%s %s %d\n' "$kind/$name" $rc $(((end - begin) / 1000)) >"$log.done"
    ) &
    pids+=($!)
    running=$((running + 1))
}

reap() { # one suite to its end
    wait -n 2>/dev/null || :
    running=$((running - 1))
    report
}

report() {
    local done_file log name rc ms passed failed skipped words
    for done_file in "$logs"/*.done; do
        [ -f "$done_file" ] || continue
        log=${done_file%.done}
        read -r name rc ms <"$done_file"
        read -r passed failed skipped <"$log.count"
        rm -f "$done_file" "$log.count"
        total[0]=$((total[0] + passed))
        total[1]=$((total[1] + failed))
        total[2]=$((total[2] + skipped))
        words="$passed passed"
        [ "$failed" = 0 ] || words+=", $failed failed"
        [ "$skipped" = 0 ] || words+=", $skipped skipped"
        printf '%s %-36s %-34s %3d.%d s\n' "$([ "$failed" = 0 ] && echo '  ok  ' || echo '  FAIL')" "$name" "$words" \
            $((ms / 1000)) $((ms % 1000 / 100))
        # what was not tried is said, with the reason
        if [ "$skipped" != 0 ]; then { grep -hE '^SKIPPED|^ok .*# SKIP' "$log" || :; } | cut -c 1-300 | sed 's/^/       | /'; fi
        if [ "$failed" != 0 ]; then
            [ "$rc" = 0 ] || echo "       exit $rc; the end of $log:"
            { grep -E -A3 '^not ok ' "$log" || :; } | head -n 60 | sed 's/^/       | /'
            tail -n 40 "$log" | cut -c 1-400 | sed 's/^/       | /'
        fi
    done
}

echo "== testing"
if wants tools; then for t in tests/tools/test_*.sh; do suite tools count_tap "$t"; done; fi
if wants unit; then
    for t in tests/unit/test_*.c; do [ ! -f "$t" ] || suite unit count_tap "$bin/unit/$(basename "$t" .c)"; done
fi
if wants fuzz; then
    for t in tests/fuzz/fuzz_*.c; do [ ! -f "$t" ] || suite fuzz count_exit "$bin/fuzz/$(basename "$t" .c)"; done
fi
if wants pg && compgen -G 'tests/pg/test_*.c' >/dev/null; then
    need_cluster
    for t in tests/pg/test_*.c; do suite pg count_tap "$bin/pg/$(basename "$t" .c)"; done
fi
while [ "$running" -gt 0 ]; do reap; done
if wants py && [ -n "$(find tests -name 'test_*.py' -print -quit)" ]; then
    need_cluster
    suite py count_junit pytest
fi
while [ "$running" -gt 0 ]; do reap; done

[ ! -f "$logs/fault.report" ] || { echo "== faults under load" && sed 's/^/  /' "$logs/fault.report"; }
for r in "$reports"*; do
    [ -f "$r" ] || continue
    printf '  FAIL a sanitizer spoke: %s\n' "$r"
    head -n 40 "$r" | sed 's/^/       | /'
    total[1]=$((total[1] + 1))
done

for pid in $(strays); do
    printf '  FAIL left running: %s\n' "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
    total[1]=$((total[1] + 1))
done

echo "== $((SECONDS - started)) s"
skipped=
[ "${total[2]}" = 0 ] || skipped=", ${total[2]} skipped"
echo "${total[0]} passed, ${total[1]} failed$skipped"
[ "${total[1]}" = 0 ] && [ "${total[0]}" -gt 0 ]
