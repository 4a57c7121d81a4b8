#!/bin/bash
# Ends what `make demo` left running; its books stay in var/demo, and the next `make demo` goes on with them.
set -u
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2154  # from lib.sh
[ -d "$demo" ] || {
    echo "demo: nothing was ever started here"
    exit 0
}
demo_lock
demo_stop
echo "demo: ended; its files are in var/demo (make distclean removes them)"
