#!/bin/bash
# Each rule of tools/layers.sh is broken once in a small tree: a check that never fails sees nothing.
# shellcheck disable=SC2317  # tests are called by their names
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh
tree=$scratch/tree
lib=$scratch/lib

fresh() {
    rm -rf "$tree" "$lib"
    mkdir -p "$tree"/{base,domain,ledger,iso20022,screen,gateway/{net,wire,rpc},cli} "$lib"
    printf '#include "base/err.h"\n#include "domain/money.h"\n#include <string.h>\nint f(const char *s);\nint f(const char *s)\n{\n    return (int)strlen(s);\n}\n' \
        >"$tree/domain/money.c"
    printf '#include "ujrat/payout/v1/payout.pb-c.h"\n#include "domain/money.h"\n' >"$tree/gateway/wire/money.c"
    printf '#include "gateway/net/grpc.h"\n#include "ledger/ledger.h"\n' >"$tree/gateway/rpc/submit.c"
}

build() {
    # no header of this tree exists: only what is called matters here
    grep -v '^#include "' "$tree/domain/money.c" >"$scratch/money.c"
    ${CC:-cc} -O1 -c -o "$scratch/money.o" "$scratch/money.c" && ar rcs "$lib/libujrat-domain.a" "$scratch/money.o"
}

says() { # WHAT: the check fails and says so
    local said
    build || return 1
    if said=$(tools/layers.sh "$tree" "$lib/libujrat-domain.a"); then
        echo "# passed"
        return 1
    fi
    grep -qF -- "$1" <<<"$said" || {
        echo "# said: $said"
        return 1
    }
}

includes() { # FILE NAME WHAT
    fresh
    printf '\n#include %s\n' "$2" >"$tree/$1"
    says "$1:2: $3"
}

calls() { # STATEMENT HEADER WHAT
    fresh
    printf '#include <%s>\nvoid g(void *p);\nvoid g(void *p)\n{\n    %s;\n}\n' "$2" "$1" >"$tree/domain/money.c"
    says "$3"
}

passes_when_every_include_points_down() { fresh && build && tools/layers.sh "$tree" "$lib/libujrat-domain.a" >/dev/null; }
refuses_base_including_domain() { includes base/a.c '"domain/money.h"' 'base/ may not include domain/'; }
refuses_domain_including_ledger() { includes domain/b.h '"ledger/ledger.h"' 'domain/ may not include ledger/'; }
refuses_ledger_including_the_gateway() { includes ledger/a.c '"gateway/net/grpc.h"' 'ledger/ may not include gateway/net/'; }
refuses_net_including_domain() { includes gateway/net/a.c '"domain/money.h"' 'gateway/net/ may not include domain/'; }
refuses_wire_including_rpc() { includes gateway/wire/a.c '"gateway/rpc/calls.h"' 'gateway/wire/ may not include gateway/rpc/'; }
refuses_cli_including_rpc() { includes cli/a.c '"gateway/rpc/calls.h"' 'cli/ may not include gateway/rpc/'; }
refuses_iso20022_including_the_ledger() { includes iso20022/a.c '"ledger/ledger.h"' 'iso20022/ may not include ledger/'; }
refuses_rpc_including_iso20022() { includes gateway/rpc/a.c '"iso20022/reader.h"' 'gateway/rpc/ may not include iso20022/'; }
refuses_screen_including_the_ledger() { includes screen/a.c '"ledger/ledger.h"' 'screen/ may not include ledger/'; }
refuses_rpc_including_screen() { includes gateway/rpc/a.c '"screen/index.h"' 'gateway/rpc/ may not include screen/'; }
refuses_icu_outside_screen() { includes cli/a.c '<unicode/utrans.h>' 'cli/ may not use <unicode/utrans.h>'; }
refuses_xml_in_the_gateway() { includes gateway/a.c '<libxml/parser.h>' 'gateway/ may not use <libxml/parser.h>'; }
refuses_generated_types_outside_wire() { includes gateway/rpc/a.c '"ujrat/payout/v1/payout.pb-c.h"' '"ujrat/payout/v1/payout.pb-c.h" is for gateway/wire alone'; }
refuses_our_own_generated_types_in_net() { includes gateway/net/a.c '"ujrat/type/v1/money.pb-c.h"' '"ujrat/type/v1/money.pb-c.h" is for gateway/wire alone'; }
refuses_the_log_in_domain() { includes domain/a.c '"base/log.h"' 'domain/ is pure: no "base/log.h"'; }
refuses_stdio_in_domain() { includes domain/a.c '<stdio.h>' 'domain/ is pure: no <stdio.h>'; }
refuses_libpq_outside_the_ledger() { includes gateway/a.c '<libpq-fe.h>' 'gateway/ may not use <libpq-fe.h>'; }
refuses_relative_names() { includes domain/a.c '"money.h"' '"money.h": name it from the root of the tree'; }
refuses_malloc_in_domain() { calls 'extern void *h; h = malloc(3)' stdlib.h 'domain/money.c:5: domain/ is pure: no malloc'; }
refuses_printf_in_domain() { calls 'printf("%p", p)' stdio.h 'domain/money.c:5: domain/ is pure: no printf'; }
refuses_the_clock_in_domain() { calls 'time(p)' time.h 'domain/money.c:5: domain/ is pure: no time'; }
refuses_what_it_does_not_know() { calls 'extern void PQfinish(void *); PQfinish(p)' stddef.h 'domain/money.c:5: domain/ is pure: no PQfinish'; }
refuses_an_unbuilt_library() {
    fresh
    rm -rf "$lib"
    ! tools/layers.sh "$tree" "$lib/libujrat-domain.a" >/dev/null
}

run_tests
