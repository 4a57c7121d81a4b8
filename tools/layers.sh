#!/bin/bash
# Holds the layers to their direction: who may include whom, and what the pure library may call.
#   layers.sh [TREE [DOMAIN_LIBRARY]]      default: . and build/release/lib/libujrat-domain.a
# Each offence is one line, FILE:LINE: what is wrong. Exit 1 when there is one.
set -euo pipefail
export LC_ALL=C
tree=${1:-.}
library=${2:-build/release/lib/libujrat-domain.a}
library=$(realpath -m "$library")
cd "$tree"

# A folder may include itself and the folders named behind it.
includes() {
    { find base domain ledger seal hook iso20022 screen gateway audit cli settle -name '*.[ch]' -exec grep -nHE '^[[:space:]]*#[[:space:]]*include' {} + 2>/dev/null || :; } |
        awk '
        BEGIN {
            may["base"] = "base"
            may["domain"] = "domain base"
            may["ledger"] = "ledger domain base"
            may["seal"] = "seal ledger domain base"
            may["hook"] = "hook ledger domain base"
            # messages, not what is done with them: whoever settles, and the sandbox bank, use it
            may["iso20022"] = "iso20022 domain base"
            # names against lists: knows neither payouts nor the database
            may["screen"] = "screen domain base"
            may["gateway/net"] = "gateway/net base"
            may["gateway/wire"] = "gateway/wire ledger domain base"
            may["gateway/rpc"] = "gateway/rpc gateway gateway/wire gateway/net seal ledger domain base"
            may["gateway/rest"] = "gateway/rest gateway gateway/rpc gateway/wire gateway/net hook ledger domain base"
            may["gateway"] = "gateway gateway/rest gateway/rpc gateway/wire gateway/net seal hook ledger domain base"
            may["cli"] = "cli gateway/net gateway/wire seal hook settle iso20022 screen ledger domain base"
            may["settle"] = "settle iso20022 ledger domain base"
            # an auditor that shared the posting code would repeat its bugs
            may["audit"] = "audit base"
            # base has modules that domain, being pure, has no business with
            impure = "^base/(log|clock|arena|config|command|secret_file)\\.h$"
            # what only one place talks to
            only["libpq-fe.h"] = "^(ledger|seal|hook|audit|cli|settle)$"
            only["curl/"] = "^hook$"
            only["nghttp2/"] = "^gateway/net$"
            only["protobuf-c/"] = "^gateway/(wire|net)$"
            only["event2/"] = "^(gateway|gateway/net|gateway/rpc|ledger|cli)$"
            only["zlib.h"] = "^gateway/net$"
            only["libxml/"] = "^(iso20022|screen|audit)$"
            only["unicode/"] = "^screen$"
            only["openssl/ssl.h"] = "^gateway/net$"
        }
        function folder(path) { return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/) - 1) : "" }
        function offence(what) { print file ":" line ": " what; bad = 1 }
        {
            split($0, part, ":")
            file = part[1]; line = part[2]; from = folder(file)
            text = $0
            if (match(text, /"[^"]+"/)) {
                name = substr(text, RSTART + 1, RLENGTH - 2)
                if (name ~ /\.pb-c\.h$/) {
                    if (from != "gateway/wire" && !(from == "gateway/net" && name !~ /^ujrat\//))
                        offence("\"" name "\" is for gateway/wire alone")
                    next
                }
                to = folder(name)
                if (to == "" || name ~ /(^|\/)\.\.?\//) {
                    offence("\"" name "\": name it from the root of the tree")
                    next
                }
                if (!(from in may)) { offence(from "/ has no place among the layers"); next }
                if (index(" " may[from] " ", " " to " ") == 0)
                    offence(from "/ may not include " to "/ (\"" name "\")")
                else if (from == "domain" && name ~ impure)
                    offence("domain/ is pure: no \"" name "\"")
            } else if (match(text, /<[^>]+>/)) {
                name = substr(text, RSTART + 1, RLENGTH - 2)
                for (k in only)
                    if (index(name, k) == 1 && from !~ only[k]) offence(from "/ may not use <" name ">")
                if (from == "domain" && name ~ /^(stdio|time|sys\/.*|unistd|pthread|signal|locale|setjmp|threads)\.h$/)
                    offence("domain/ is pure: no <" name ">")
            }
        }
        END { exit bad }'
}

# Whatever domain calls is its own, base's, or on this list of functions that only look at their arguments.
pure='mem(cpy|move|set|cmp|chr|rchr|mem|ccpy|pcpy)|__mem(cpy|move|set|pcpy)_chk|str(n?len|n?cmp|chr|rchr|spn|cspn|str|pbrk)|__stack_chk_fail|__assert_fail|bsearch|abort|_GLOBAL_OFFSET_TABLE_|__u?(mul|div|mod|divmod)[otd]i[34]|__(a|ub|t)san_.*|__asan.*'

symbols() {
    local base name line bad=0 object symbol source hits
    if [ ! -f "$library" ]; then
        echo "$library:0: not built; run: make"
        return 1
    fi
    base=$(dirname "$library")/libujrat-base.a
    while read -r object symbol; do
        source=domain/${object%.o}.c
        name=$(sed 's/^__//; s/_chk$//' <<<"$symbol")
        hits=$(grep -nwF -- "$name" "$source" 2>/dev/null || echo 0)
        while IFS=: read -r line _; do echo "$source:$line: domain/ is pure: no $symbol"; done <<<"$hits"
        bad=1
    done < <({
        nm -A "$library"
        # of base, what domain may include
        [ ! -f "$base" ] || nm -A "$base" | grep -vE ':(log|clock|arena|config|command|secret_file)\.o:'
    } 2>/dev/null | awk -v pure="^($pure)\$" -v library="$library:" '
        $2 !~ /^[Uw]$/ { own[$3] = 1; next }
        index($1, library) == 1 && $3 !~ pure { object = $1; sub(/:$/, "", object); sub(/.*:/, "", object); wants[object " " $3] = $3 }
        END { for (w in wants) if (!(wants[w] in own)) print w }' | sort)
    return $bad
}

status=0
includes || status=1
symbols || status=1
[ $status != 0 ] || echo "layers: every include points down, and domain is pure"
exit $status
