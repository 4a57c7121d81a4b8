#!/bin/bash
# A private PostgreSQL cluster in a folder of its own: a port of its own, a password, no trace elsewhere.
#
#   pg_cluster.sh start [--tune test|demo|bench] DIR   make it if need be, start it; nothing if it runs
#   pg_cluster.sh stop [-m fast|immediate|smart] DIR   nothing if it is down
#   pg_cluster.sh restart [-m MODE] DIR
#   pg_cluster.sh destroy DIR                          stop it and remove every file
#   pg_cluster.sh status DIR                           exit 0 when it runs
#   pg_cluster.sh pid DIR                              the postmaster's
#   pg_cluster.sh kill DIR [SIGNAL [PID]]              the postmaster, or one of its own processes (KILL)
#   pg_cluster.sh uri DIR [ROLE [DATABASE]]            libpq URI; a role other than postgres gets a password
#   pg_cluster.sh tcp-uri DIR [ROLE [DATABASE]]        the same through 127.0.0.1
#   pg_cluster.sh createdb DIR DATABASE                made afresh: an old one of that name is dropped
#   pg_cluster.sh psql DIR [ARGUMENT...]               as superuser
#
# As root the servers belong to the unprivileged user `postgres`, since PostgreSQL refuses root. Passwords stand in
# DIR/pgpass, which only the caller can read; a URI names that file, so no secret is ever in an argument list.
set -euo pipefail
cd /
export LC_ALL=C
for v in $(compgen -e | grep '^PG' || :); do [ "$v" = PG_BIN ] || unset "$v"; done

die() {
    echo "pg_cluster: $*" >&2
    exit 1
}

if [ -z "${PG_BIN:-}" ]; then
    PG_BIN=/usr/lib/postgresql/15/bin
    [ -x $PG_BIN/initdb ] || PG_BIN=$(pg_config --bindir 2>/dev/null || :)
fi
[ -x "$PG_BIN/initdb" ] || die "PostgreSQL 15 is not installed (initdb not found); run: make deps"

if [ "$(id -u)" = 0 ]; then
    id -u postgres >/dev/null 2>&1 || die "run by root, this needs the unprivileged user 'postgres'; run: make deps"
fi
as_server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
    else
        "$@"
    fi
}

# ---------------------------------------------------------------- where things are
# DIR/{pgpass,where,lock} belong to the caller; $home/{data,log,port} to the server, and $home is DIR when it can be.
locate() {
    case $1 in /*) dir=$1 ;; *) dir=$OLDPWD/$1 ;; esac
    home=$dir
    [ ! -f "$dir/where" ] || home=$(<"$dir/where")
    data=$home/data
    port=
    [ ! -f "$home/port" ] || port=$(<"$home/port")
    sockets=$home
    [ ! -f "$dir/sockets" ] || sockets=$(<"$dir/sockets")
}

# The postmaster, if it runs: not whoever has its process number by now.
postmaster() {
    local pid
    [ -f "$data/postmaster.pid" ] || return 1
    read -r pid <"$data/postmaster.pid" || return 1
    [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$(readlink -f "$data")" ] || return 1
    echo "$pid"
}

# After a crash the servers need a moment to notice; and where nobody reaps orphans, a dead postmaster's number stays
# taken, which PostgreSQL would believe to be alive.
bury() {
    local p left
    [ -f "$data/postmaster.pid" ] || return 0
    for _ in {1..200}; do
        left=
        for p in /proc/[0-9]*; do
            if [ "$(readlink "$p/cwd" 2>/dev/null)" = "$(readlink -f "$data")" ]; then left=${p#/proc/}; fi
        done
        if [ -z "$left" ]; then
            rm -f "$data/postmaster.pid" "$sockets"/.s.PGSQL.*
            return
        fi
        sleep 0.05
    done
    die "the postmaster is gone but process $left of it lives on"
}

pgpass_line() { # ROLE: its line, whatever the port is by now
    grep -m1 -F "*:*:*:$1:" "$dir/pgpass" 2>/dev/null
}

random_password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

super() { # ARGUMENT...: psql as superuser; an input is taken as script
    PGPASSFILE=$dir/pgpass "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$sockets" -p "$port" -U postgres "$@"
}

# ---------------------------------------------------------------- making it
place() {
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ] && ! as_server test -x "$dir" 2>/dev/null; then
        # /var/tmp outlives a reboot, and is a disk where /tmp may be memory
        home=$(mktemp -d /var/tmp/ujrat-pg.XXXXXX)
        chmod 755 "$home"
        printf '%s\n' "$home" >"$dir/where"
        echo "pg_cluster: user postgres cannot enter $dir, so the cluster is in $home" >&2
    fi
    data=$home/data
    sockets=$home
    # sun_path holds 107 bytes; and a comma or a quote in the name would mean something to PostgreSQL's settings
    if [ "$(printf %s "$home/.s.PGSQL.65535" | wc -c)" -gt 100 ] || [[ $home == *[!\ A-Za-z0-9_./~+@%=-]* ]]; then
        make_sockets
    fi
    [ "$(id -u)" != 0 ] || chown postgres: "$home"
}

make_sockets() { # a short folder, made again if someone tidied /tmp
    sockets=$(mktemp -d /tmp/ujrat-pg.XXXXXX)
    chmod 755 "$sockets"
    [ "$(id -u)" != 0 ] || chown postgres: "$sockets"
    printf '%s\n' "$sockets" >"$dir/sockets"
}

mb_of_memory() { # PERCENT MAX
    local kb mb
    kb=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    mb=$((kb * $1 / 100 / 1024))
    [ "$mb" -le "$2" ] || mb=$2
    [ "$mb" -ge 32 ] || mb=32
    echo "$mb"
}

gb_of_disk() { # MAX: at most a quarter of what is free
    local kb gb
    kb=$(df -Pk "$home" | awk 'NR == 2 {print $4}')
    gb=$((kb / 4 / 1024 / 1024))
    [ "$gb" -le "$1" ] || gb=$1
    [ "$gb" -ge 1 ] || gb=1
    echo "$gb"
}

# Durability is never tuned: fsync, synchronous_commit and full_page_writes are on in every set.
settings() { # TUNE
    cat <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = '$sockets'
unix_socket_permissions = 0777
password_encryption = 'scram-sha-256'
fsync = on
synchronous_commit = on
full_page_writes = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off
jit = off
END
    case $1 in
    test)
        cat <<END
max_connections = 200
shared_buffers = $(mb_of_memory 10 128)MB
max_wal_size = $(gb_of_disk 1)GB
checkpoint_timeout = 15min
END
        ;;
    demo)
        cat <<END
max_connections = 100
shared_buffers = $(mb_of_memory 10 256)MB
max_wal_size = $(gb_of_disk 2)GB
checkpoint_timeout = 15min
END
        ;;
    bench)
        cat <<END
max_connections = 200
shared_buffers = $(mb_of_memory 25 4096)MB
effective_cache_size = $(mb_of_memory 50 65536)MB
maintenance_work_mem = $(mb_of_memory 5 512)MB
wal_buffers = 64MB
min_wal_size = $(gb_of_disk 4)GB
max_wal_size = $(gb_of_disk 16)GB
checkpoint_timeout = 30min
checkpoint_completion_target = 0.9
wal_compression = lz4
END
        ;;
    esac
}

make_cluster() { # TUNE
    local pwfile locale=C sync=() encoding
    # what an interrupted initdb left behind
    [ ! -d "$data" ] || rm -rf "$data"
    encoding=$(LC_ALL=C.UTF-8 locale charmap 2>/dev/null || :)
    [ "$encoding" != UTF-8 ] || locale=C.UTF-8
    [ "$1" != test ] || sync=(--no-sync)

    (umask 077 && printf '*:*:*:postgres:%s\n' "$(random_password)" >"$dir/pgpass")
    pwfile=$(mktemp "$home/pw.XXXXXX")
    sed 's/.*://' "$dir/pgpass" >"$pwfile"
    : >"$home/log"
    [ "$(id -u)" != 0 ] || chown postgres: "$pwfile" "$home/log"
    if ! as_server "$PG_BIN/initdb" -D "$data" -U postgres -A scram-sha-256 --pwfile="$pwfile" --data-checksums \
        --encoding=UTF8 --locale=$locale "${sync[@]}" >"$home/initdb.log" 2>&1; then
        rm -f "$pwfile"
        rm -rf "$data"
        cat "$home/initdb.log" >&2
        die "initdb failed"
    fi
    rm -f "$pwfile" "$home/initdb.log"
    printf '%s\n' "$1" >"$dir/tune"
}

port_is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Below the range the system hands out to clients. Another may take it before us: then the next is tried.
some_port() {
    local p
    for _ in {1..100}; do
        p=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if port_is_free $p; then
            echo $p
            return
        fi
    done
    die "no free port found on 127.0.0.1"
}

# A server lives on with every descriptor it was given: a lock of ours or of our caller would never be let go.
close_others() {
    local fd
    for fd in /proc/"$BASHPID"/fd/*; do
        fd=${fd##*/}
        if [ "$fd" -gt 2 ] && [ "$fd" != 255 ]; then eval "exec $fd>&-"; fi
    done
}

cmd_start() {
    local tune='' mark size
    if [ "${1:-}" = --tune ]; then
        tune=$2
        shift 2
        case $tune in test | demo | bench) ;; *) die "--tune is test, demo or bench, not '$tune'" ;; esac
    fi
    [ $# = 1 ] || die "start [--tune test|demo|bench] DIR"
    locate "$1"
    mkdir -p "$dir"
    exec 9>"$dir/lock"
    flock 9
    locate "$1"
    ! postmaster >/dev/null || return 0
    bury

    if [ ! -f "$dir/tune" ]; then
        [ "$home" != "$dir" ] || place
        make_cluster "${tune:-test}"
    fi
    [ -n "$tune" ] || tune=$(<"$dir/tune")
    printf '%s\n' "$tune" >"$dir/tune"
    [ -d "$sockets" ] || make_sockets
    # the last of two settings counts, so ours go into a file of their own, written at each start
    grep -qsxF "include_if_exists = 'ujrat.conf'" "$data/postgresql.conf" ||
        echo "include_if_exists = 'ujrat.conf'" >>"$data/postgresql.conf"

    for attempt in {1..20}; do
        if [ "$attempt" -gt 1 ] || [ -z "$port" ] || ! port_is_free "$port"; then port=$(some_port); fi
        { settings "$tune" && echo "port = $port"; } >"$data/ujrat.conf"
        [ "$(id -u)" != 0 ] || chown postgres: "$data/ujrat.conf"
        printf '%s\n' "$port" >"$home/port"
        mark=$(wc -c <"$home/log")
        if (close_others && as_server "$PG_BIN/pg_ctl" start -s -w -t 120 -D "$data" -l "$home/log" </dev/null >/dev/null 2>&1); then
            return 0
        fi
        size=$(wc -c <"$home/log")
        tail -c $((size - mark)) "$home/log" | grep -q 'Address already in use' || break
    done
    tail -n 20 "$home/log" >&2
    die "PostgreSQL did not start; its log is $home/log"
}

cmd_stop() {
    local mode=fast
    if [ "${1:-}" = -m ]; then
        mode=$2
        shift 2
    fi
    [ $# = 1 ] || die "stop [-m fast|immediate|smart] DIR"
    locate "$1"
    postmaster >/dev/null || return 0
    as_server "$PG_BIN/pg_ctl" stop -s -w -t 120 -m "$mode" -D "$data" >/dev/null 2>&1 ||
        ! postmaster >/dev/null ||
        die "PostgreSQL did not stop; its log is $home/log"
}

cmd_restart() {
    cmd_stop "$@"
    cmd_start "${@: -1}"
}

cmd_destroy() {
    [ $# = 1 ] || die "destroy DIR"
    locate "$1"
    [ -d "$dir" ] || return 0
    # nothing is removed that we did not make
    [ -f "$dir/lock" ] || die "$dir is not a cluster of ours"
    cmd_stop -m immediate "$1"
    bury
    rm -rf "$data"
    [ "$sockets" = "$home" ] || rm -rf "$sockets"
    rm -f "$home/log" "$home/port"
    [ "$home" = "$dir" ] || rmdir "$home" 2>/dev/null || :
    rm -f "$dir/where" "$dir/sockets" "$dir/pgpass" "$dir/tune" "$dir/lock"
    rmdir "$dir" 2>/dev/null || :
}

need_running() {
    locate "$1"
    postmaster >/dev/null || die "no cluster runs in $dir"
}

cmd_status() {
    locate "$1"
    postmaster >/dev/null
}

cmd_pid() {
    need_running "$1"
    postmaster
}

cmd_kill() {
    need_running "$1"
    local signal=${2:-KILL} top pid
    top=$(postmaster)
    pid=${3:-$top}
    [ "$pid" = "$top" ] || [ "$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)" = "$top" ] ||
        die "process $pid is not one of this cluster's"
    kill -s "$signal" "$pid"
    if [ "$signal" = KILL ]; then
        for _ in {1..100}; do # a dead process has no folder
            [ -n "$(readlink "/proc/$pid/cwd" 2>/dev/null)" ] || break
            sleep 0.02
        done
    fi
}

urlencode() {
    local s=$1 i c
    for ((i = 0; i < ${#s}; i++)); do
        c=${s:i:1}
        case $c in
        [A-Za-z0-9_.~-]) printf %s "$c" ;;
        *) printf '%%%02X' "'$c" ;;
        esac
    done
}

# A role that someone made (`ujrat db migrate`) gets a password when it is first asked for.
give_password() { # ROLE
    local password
    [[ $1 =~ ^[a-z_][a-z0-9_]*$ ]] || die "'$1' is no role name"
    exec 9>"$dir/lock"
    flock 9
    pgpass_line "$1" >/dev/null && return
    [ "$(super -d postgres -Atc "SELECT 1 FROM pg_roles WHERE rolname = '$1'")" = 1 ] || die "there is no role $1"
    password=$(random_password)
    super -d postgres <<<"ALTER ROLE $1 LOGIN PASSWORD '$password'" || die "role $1 got no password"
    printf '*:*:*:%s:%s\n' "$1" "$password" >>"$dir/pgpass"
}

uri() { # HOST DIR [ROLE [DATABASE]]
    need_running "$2"
    local role=${3:-postgres} db=${4:-postgres} host=$1
    [ "$host" != socket ] || host=$sockets
    pgpass_line "$role" >/dev/null || give_password "$role"
    printf 'postgresql:///%s?host=%s&port=%s&user=%s&passfile=%s\n' \
        "$(urlencode "$db")" "$(urlencode "$host")" "$port" "$(urlencode "$role")" "$(urlencode "$dir/pgpass")"
}

cmd_createdb() {
    need_running "$1"
    [[ $2 =~ ^[a-z_][a-z0-9_]*$ ]] || die "'$2' is no name for a database"
    super -d postgres -c "DROP DATABASE IF EXISTS $2 WITH (FORCE)" -c "CREATE DATABASE $2" 2>&1 |
        { grep -v 'does not exist, skipping' || :; } >&2
}

cmd_psql() {
    need_running "$1"
    shift
    cd "$OLDPWD"
    case " $* " in *' -d '* | *' --dbname'*) ;; *) set -- -d postgres "$@" ;; esac
    super "$@"
}

[ $# -ge 2 ] || {
    sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}
command=$1
shift
case $command in
start | stop | restart | destroy | status | pid | kill | createdb | psql) "cmd_$command" "$@" ;;
uri) uri socket "$@" ;;
tcp-uri) uri 127.0.0.1 "$@" ;;
*) die "what is '$command'?" ;;
esac
