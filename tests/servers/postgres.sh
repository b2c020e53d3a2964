#!/usr/bin/env bash
# A PostgreSQL server for the tests, in a folder of its own, on 127.0.0.1.
#
#   postgres.sh start DIR   starts it and prints its address: postgres://postgres@127.0.0.1:PORT/knik
#   postgres.sh stop DIR    stops it by its process id
#
# DIR must be an empty folder that this script may own. As root the server runs as the user postgres (it refuses
# to run as root). Anyone on this machine can connect while it runs, so nothing but test data belongs in it.
set -euo pipefail

fail() { printf 'postgres.sh: %s\n' "$1" >&2; exit 1; }

binaries() {
    local found
    if found=$(command -v initdb); then dirname "$(readlink -f "$found")"; return; fi
    found=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
    [[ -n $found ]] || return 1
    dirname "$found"
}

as_server() {
    if [[ $(id -u) -eq 0 ]]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups env -i PATH="$PATH" LC_ALL=C.UTF-8 "$@")
    else
        "$@"
    fi
}

free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then printf '%s' "$port"; return; fi
    done
    return 1
}

start() {
    local dir=$1 bin port
    bin=$(binaries) || fail "no PostgreSQL here; install the package postgresql"
    if [[ $(id -u) -eq 0 ]]; then chown postgres "$dir"; fi
    chmod 700 "$dir"
    as_server "$bin/initdb" --pgdata="$dir/data" --username=postgres --auth-host=trust --auth-local=trust \
        --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-sync >"$dir/start.log" 2>&1 ||
        { cat "$dir/start.log" >&2; fail "initdb failed in $dir"; }
    # Another process may take the port between looking and listening: try a few.
    for _ in 1 2 3 4 5; do
        port=$(free_port) || fail "no free port on 127.0.0.1"
        if as_server "$bin/pg_ctl" start --silent --wait --timeout=60 --pgdata="$dir/data" --log="$dir/server.log" \
            --options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='$dir' -c fsync=on \
-c synchronous_commit=on -c max_connections=500" >>"$dir/start.log" 2>&1 </dev/null; then
            as_server "$bin/createdb" --host="$dir" --port="$port" --username=postgres knik >&2 ||
                { stop "$dir"; fail "createdb failed"; }
            printf 'postgres://postgres@127.0.0.1:%s/knik\n' "$port"
            return
        fi
    done
    cat "$dir/server.log" >&2
    fail "the server did not start"
}

stop() {
    local dir=$1 pid
    [[ -r $dir/data/postmaster.pid ]] || return 0
    pid=$(head -n 1 "$dir/data/postmaster.pid")
    kill -INT "$pid" 2>/dev/null || return 0
    for _ in {1..300}; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -QUIT "$pid" 2>/dev/null || true
}

[[ $# -eq 2 && -d $2 ]] || fail "usage: postgres.sh start|stop DIR (an existing folder)"
case $1 in
    start) start "$2" ;;
    stop) stop "$2" ;;
    *) fail "usage: postgres.sh start|stop DIR" ;;
esac
