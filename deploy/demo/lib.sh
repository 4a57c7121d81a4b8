# shellcheck shell=bash
# What the demo stands on, to be sourced: a private PostgreSQL, a PKI, daemons that are ended by their own number.
# Everything lives under $demo (var/demo). Nothing outside the tree is touched.
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
demo=$root/var/demo
bin=$root/build/release/bin
freelancers=deploy/platforms/peopleperhour/freelancers.csv
export UJRAT_LOG_DIR=$demo/log

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' dim='' plain=''
fi
said_at=$SECONDS
say() { # what is being done now, before it is done
    printf '%s==%s %s%s\n' "$bold" "$plain" "$*" \
        "$([ $((SECONDS - said_at)) -lt 5 ] || printf ' %s(%d s so far)%s' "$dim" "$SECONDS" "$plain")"
    said_at=$SECONDS
}
die() {
    echo "demo: $*" >&2
    exit 1
}

# One demo at a time in a tree; the lock goes with the process.
demo_lock() {
    mkdir -p "$demo/run" "$demo/log"
    exec 8>"$demo/lock"
    flock -n 8 || die "another demo is being set up or ended in $demo"
}

# ---------------------------------------------------------------- daemons
# A number alone may be someone else's by now, so the process's start time stands with it.
start_time() { # PID
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" != Z ] && echo "${20}"
}

daemon_pid() { # NAME: its number, if it runs
    local pid began
    [ -f "$demo/run/$1.pid" ] || return 1
    read -r pid began <"$demo/run/$1.pid" || return 1
    [ "$(start_time "$pid")" = "$began" ] && echo "$pid"
}

start_daemon() { # NAME COMMAND...: nothing if it runs; its words go to log/NAME.log
    local name=$1 pid
    shift
    ! daemon_pid "$name" >/dev/null || return 0
    # no descriptor of ours goes along: a lock would never be let go, a pipe never end
    (
        for fd in /proc/"$BASHPID"/fd/*; do
            fd=${fd##*/}
            if [ "$fd" -gt 2 ] && [ "$fd" != 255 ]; then eval "exec $fd>&-"; fi
        done
        exec setsid "$@" </dev/null >>"$demo/log/$name.log" 2>&1
    ) &
    pid=$!
    disown
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$demo/run/$name.pid"
}

stop_daemon() { # NAME: asked first, then made to
    local pid
    pid=$(daemon_pid "$1") || {
        rm -f "$demo/run/$1.pid"
        return 0
    }
    kill -TERM "$pid"
    for _ in {1..200}; do
        daemon_pid "$1" >/dev/null || break
        sleep 0.05
    done
    ! daemon_pid "$1" >/dev/null || kill -KILL "$pid"
    rm -f "$demo/run/$1.pid"
}

wait_for() { # SECONDS WHAT DAEMON COMMAND...: until the command works; the daemon's last words if it died
    local seconds=$1 what=$2 name=$3 end
    shift 3
    end=$((SECONDS + seconds))
    until "$@"; do
        if ! daemon_pid "$name" >/dev/null; then
            tail -n 20 "$demo/log/$name.log" >&2
            die "$name ended before $what; its log is $demo/log/$name.log"
        fi
        [ $SECONDS -lt $end ] || die "$what did not happen in $seconds s; see $demo/log/$name.log"
        sleep 0.05
    done
}

# ---------------------------------------------------------------- PostgreSQL, certificates
demo_packages() {
    if ! tools/deps.sh demo; then exit 1; fi
}

demo_build() {
    env -u MAKEFLAGS -u MAKELEVEL "${MAKE:-make}" --no-print-directory -j"$(nproc)" all | tail -n 400 |
        awk '/^  (CC|LD)/ { n++; if (n % 40 == 0) { printf "."; fflush() } } !/^  / && !/Nothing to be done/ { print } END { if (n >= 40) print "" }'
    [ "${PIPESTATUS[0]}" = 0 ] || die "the build failed"
}

db_uri() { # ROLE
    tools/pg_cluster.sh uri "$demo/pg" "$1" ujrat
}

demo_database() { # a cluster, a database in it, its schema; all are kept when they are there
    tools/pg_cluster.sh start --tune demo "$demo/pg" || exit 1
    tools/pg_cluster.sh psql "$demo/pg" -Atc "SELECT 1 FROM pg_database WHERE datname = 'ujrat'" | grep -q 1 ||
        tools/pg_cluster.sh createdb "$demo/pg" ujrat || exit 1
    [ -f "$demo/pii.keys" ] || "$bin/ujrat" pii key new "$demo/pii.keys" --quiet || exit 1
    "$bin/ujrat" db migrate --quiet --pii-keys "$demo/pii.keys" --db "$(db_uri postgres)" || exit 1
}

demo_pki() {
    tools/pki.sh "$demo/pki" || exit 1
}

# A port of our own, kept from run to run while nobody else has it.
demo_port() {
    local port=
    [ ! -f "$demo/port" ] || port=$(<"$demo/port")
    if [ -n "$port" ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        echo "$port"
        return
    fi
    for _ in {1..100}; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
        echo $port | tee "$demo/port"
        return
    done
    die "no free port on 127.0.0.1"
}

demo_env() { # PORT: what a shell needs to be anyone; secrets of the REST API's clients too, so it is for its owner alone
    local name upper
    rm -f "$demo/env.new"
    (umask 077 && : >"$demo/env.new") || exit 1
    {
        echo "# written by make demo; use it with: . var/demo/env"
        echo "export UJRAT_ADDR=localhost:$1"
        printf 'export UJRAT_CA=%q\n' "$demo/pki/ca.pem"
        for name in upwork fiverr freelancer peopleperhour MUCB SCBL HABB auditor operator; do
            upper=${name^^}
            printf 'export UJRAT_CERT_%s=%q\nexport UJRAT_KEY_%s=%q\n' "$upper" "$demo/pki/$name.pem" "$upper" "$demo/pki/$name.key"
        done
        echo "export UJRAT_REST=https://localhost:$1"
        for name in upwork fiverr freelancer peopleperhour; do
            upper=${name^^}
            [ ! -s "$demo/rest/$name.id" ] || printf 'export PAYPAL_CLIENT_ID_%s=%q\nexport PAYPAL_CLIENT_SECRET_%s=%q\n' \
                "$upper" "$(<"$demo/rest/$name.id")" "$upper" "$(<"$demo/rest/$name.secret")"
        done
        # three whom every platform can pay by their e-mail addresses
        printf 'export UJRAT_RECEIVERS=%s\n' "$(grep -v -e '^#' -e '^email,' "$freelancers" | head -n 3 | cut -d , -f 1 | paste -sd ,)"
        printf "export UJRAT_DB='%s'\n" "$(db_uri ujrat_auditor)"
        printf "export UJRAT_OPERATOR_DB='%s'\n" "$(db_uri ujrat_operator)"
        printf 'export UJRAT_PII_KEYS=%q\n' "$demo/pii.keys"
        # shellcheck disable=SC2016 # for the shell that reads it
        printf 'case ":$PATH:" in *:%q:*) ;; *) export PATH=%q:"$PATH" ;; esac\n' "$bin" "$bin"
    } >"$demo/env.new"
    mv "$demo/env.new" "$demo/env"
}

demo_stop() { # everything start_daemon started, then the cluster
    local f
    for f in "$demo"/run/*.pid; do
        [ ! -f "$f" ] || stop_daemon "$(basename "$f" .pid)"
    done
    [ ! -d "$demo/pg" ] || tools/pg_cluster.sh stop "$demo/pg"
}
