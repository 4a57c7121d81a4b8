#!/bin/bash
# Style and static checks. A file is looked at again only when what the compiler reads of it has changed.
# shellcheck disable=SC2317  # the steps are called by their names
#   lint.sh [FILE.c...]      default: the whole tree. From make: CC, CPPFLAGS, BUILD; JOBS
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
jobs=${JOBS:-$(nproc)}
stamps=build/lint
folders=(base domain ledger seal hook iso20022 screen gateway audit cli settle tests)
export CC=${CC:-gcc} CPPFLAGS=${CPPFLAGS:-"-D_GNU_SOURCE -I. -Ibuild/release/gen"} stamps
failed=0
mkdir -p "$stamps/cppcheck"
if [ $# -gt 0 ]; then
    sources=("$@")
else
    mapfile -t sources < <(find "${folders[@]}" -name '*.c' 2>/dev/null | sort)
fi
mapfile -t headers < <(find "${folders[@]}" -name '*.h' 2>/dev/null | sort)
mapfile -t scripts < <(find tools deploy tests .ci -type f ! -path '*/node_modules/*' 2>/dev/null |
    while read -r f; do case $(head -c 30 "$f" | head -n 1 | tr -d '\0') in '#!'*sh | '# shellcheck'*) echo "$f" ;; esac; done | sort)

step() { # NAME COMMAND...
    local name=$1 began=$SECONDS
    shift
    if "$@"; then
        echo "lint: $name: ok ($((SECONDS - began)) s)"
    else
        echo "lint: $name: FAILED ($((SECONDS - began)) s)"
        failed=1
    fi
}

formatted() {
    local wrong
    wrong=$(clang-format-14 --dry-run "${sources[@]}" "${headers[@]}" 2>&1 | sed -n 's/^\([^ :]*:[0-9]*\):[0-9]*: warning: .*/\1: not in the form of .clang-format (make format)/p' | sort -t: -k1,1 -u)
    [ -z "$wrong" ] || ! echo "$wrong"
}

tidy_one() { # FILE
    local stamp=$stamps/tidy/${1//\//__} hash
    # shellcheck disable=SC2086
    hash=$({ $CC $CPPFLAGS -E -P "$1" && cat "$1" .clang-tidy; } 2>/dev/null | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" != "$hash" ] || return 0
    # shellcheck disable=SC2086
    if ! out=$(clang-tidy-14 --quiet "$1" -- -std=gnu17 $CPPFLAGS 2>/dev/null); then
        printf '%s\n' "$out"
        return 1
    fi
    echo "$hash" >"$stamp"
}
export -f tidy_one
tidied() {
    mkdir -p "$stamps/tidy"
    # shellcheck disable=SC2016
    printf '%s\0' "${sources[@]}" | xargs -0 -n1 -P"$jobs" bash -c 'tidy_one "$1"' tidy
}

# internalAstError: cppcheck 2.10 cannot read &(bool){...}, and says no more of that file. uninitvar and its kin: it does not
# follow "found, or else filled in"; gcc and clang's analyzer both look for the same.
cppchecked() {
    local gen=${BUILD:-build/release}/gen
    cppcheck -q -j"$jobs" --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
        --error-exitcode=1 --cppcheck-build-dir="$stamps/cppcheck" --suppress=missingIncludeSystem --suppress=internalAstError --suppress=uninitvar --suppress=ctuuninitvar \
        --suppress="*:$gen/*" --suppress='*:/usr/*' --library=posix -D_GNU_SOURCE -DCPPCHECK -I. \
        --template='{file}:{line}: {severity}: {message} [{id}]' "${sources[@]}"
}

step clang-format formatted
step shellcheck shellcheck -S warning -x "${scripts[@]}"
step cppcheck cppchecked
step clang-tidy tidied
step layers tools/layers.sh . "${BUILD:-build/release}/lib/libujrat-domain.a"
exit $failed
