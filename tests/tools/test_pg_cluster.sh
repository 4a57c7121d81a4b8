#!/bin/bash
# tools/pg_cluster.sh: durable, private, and gone when it should be.
# shellcheck disable=SC2317  # tests are called by their names
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh
chmod 755 "$scratch" # as root, the server is another user
dir=$scratch/pg
pg() { tools/pg_cluster.sh "$@"; }
at_exit+=('tools/pg_cluster.sh destroy "$dir"')
pg start --tune test "$dir" || exit 1
ask() { pg psql "$dir" -Atc "$1"; }

a_name_too_long_for_a_socket_gets_a_short_one() {
    local long
    long=$scratch/$(printf 'x%.0s' {1..100})
    pg start "$long" && pg psql "$long" -Atc 'SELECT 1' && pg destroy "$long" && [ ! -e "$long" ]
}
another_user_is_asked_for_a_password() {
    ! psql -w -h 127.0.0.1 -p "$(cat "$dir/port")" -U postgres -c 'SELECT 1' 2>"$scratch/said" &&
        grep -q 'no password supplied' "$scratch/said"
}
comes_back_after_the_postmaster_was_killed() { pg kill "$dir" && ! pg status "$dir" && pg start "$dir" && ask 'SELECT 1'; }
gives_a_role_a_password_when_asked_for_its_uri() {
    ask 'CREATE ROLE someone' && psql "$(pg uri "$dir" someone)" -Atc 'SELECT current_user' | grep -qx someone &&
        psql "$(pg tcp-uri "$dir" someone)" -Atc 'SELECT current_user' | grep -qx someone
}
holds_no_password_in_a_uri() { ! pg uri "$dir" | grep -qF "$(sed -n '1s/.*://p' "$dir/pgpass")"; }
is_durable_in_every_tuning() {
    local tune
    for tune in demo bench test; do
        pg stop "$dir" && pg start --tune $tune "$dir" || return 1
        [ "$(ask "SELECT string_agg(setting, ',') FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums')")" = on,on,on,on ] || return 1
    done
}
kills_no_process_of_others() { ! pg kill "$dir" KILL $$; }
listens_to_this_machine_alone() { [ "$(ask 'SHOW listen_addresses')" = 127.0.0.1 ]; }
refuses_a_role_that_is_not_there() { ! pg uri "$dir" nobody_at_all; }
refuses_to_destroy_what_it_did_not_make() { mkdir "$scratch/mine" && ! pg destroy "$scratch/mine" && [ -d "$scratch/mine" ]; }
start_and_stop_can_be_said_twice() { pg start "$dir" && pg start "$dir" && pg stop "$dir" && pg stop "$dir" && pg start "$dir"; }
takes_another_port_when_its_own_was_taken() {
    local port pid
    port=$(cat "$dir/port")
    pg stop "$dir" || return 1
    /usr/bin/python3 -c 'import socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); time.sleep(60)' "$port" &
    pid=$!
    for _ in {1..50}; do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.1; done
    pg start "$dir" && [ "$(cat "$dir/port")" != "$port" ] && ask 'SELECT 1'
    local rc=$?
    kill $pid
    return $rc
}
two_starts_at_once_make_one_cluster() {
    local d=$scratch/race rc
    pg start "$d" &
    pg start "$d" && wait $! && pg psql "$d" -Atc 'SELECT 1'
    rc=$?
    pg destroy "$d"
    return $rc
}

keeps_no_lock_of_its_caller() {
    local d=$scratch/fd rc
    (
        exec 8>"$scratch/lock"
        flock 8
        pg start "$d"
    ) || return 1
    flock -n "$scratch/lock" true
    rc=$?
    pg destroy "$d"
    return $rc
}

works_in_a_folder_of_any_name() {
    local d rc
    d="$scratch/it's a, name $(printf '\xd8\xb9')"
    pg start "$d" && [ "$(psql -X -w -Atc 'SELECT 1' "$(pg uri "$d")")" = 1 ]
    rc=$?
    pg destroy "$d"
    [ ! -e "$d" ] && return $rc
}

run_tests
