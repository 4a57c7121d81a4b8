#!/bin/sh
# make bench: installs what is missing, builds, measures. Figures of one run on one machine: their ratios are what counts.
set -eu
cd "$(dirname "$0")/../.."
tools/deps.sh test
[ -z "${SAN:-}" ] || { echo "bench: a sanitizer's figures mean nothing; run it without SAN" >&2; exit 2; }
${MAKE:-make} --no-print-directory -j"$(nproc)" all \
    build/release/bin/bench/bench_post build/release/bin/bench/bench_client build/release/bin/bench/bench_rest build/release/bin/bench/bench_screen >&2
exec /usr/bin/python3 tests/bench/run.py "$@"
