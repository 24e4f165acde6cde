# Sourced by scripts/test: a private PostgreSQL on a socket of its own, gone when the script ends.

pg_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

# PostgreSQL refuses to run as root; Debian's package brings a user for it.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

# start_postgresql [OPTIONS]: tests lose nothing by a power cut; whoever measures passes "".
start_postgresql() {
    local bin
    [ -n "$(pg_bin)" ] || apt_install postgresql
    bin=$(pg_bin)
    # /tmp, whatever TMPDIR says: a socket's path may not exceed 107 bytes.
    PG_DIR=$(mktemp -d /tmp/aztrust-pg.XXXXXX)
    trap stop_postgresql EXIT
    [ "$(id -u)" != 0 ] || chown postgres "$PG_DIR"
    (
        cd "$PG_DIR"
        as_postgres "$bin/initdb" -D "$PG_DIR/data" -U aztrust -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$PG_DIR/initdb.log"
        as_postgres "$bin/pg_ctl" -D "$PG_DIR/data" -l "$PG_DIR/log" -w -s start \
            -o "-c listen_addresses='' -c unix_socket_directories='$PG_DIR' ${1--c fsync=off}"
        as_postgres "$bin/createdb" -h "$PG_DIR" -U aztrust aztrust
    )
    export AZTRUST_TEST_POSTGRES="postgresql+psycopg://aztrust@/aztrust?host=$PG_DIR"
    say "private $("$bin/postgres" --version) in $PG_DIR"
}

stop_postgresql() {
    (cd /tmp && as_postgres "$(pg_bin)/pg_ctl" -D "$PG_DIR/data" -m immediate -s stop) || true
    rm -rf "$PG_DIR"
}
