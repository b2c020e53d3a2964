#!/usr/bin/env bash
# Every check of Knik, as `make test` runs them. Ends with one line and an exit status that agree.
#
# Installs the Debian packages postgresql, radosgw (S3), softhsm2 (a hardware module in software), strace, testssl.sh, and
# nodejs and npm, when they are not here (as root, or with sudo), and in folders of their own Python's package cryptography,
# npm's package oidc-provider and the linter of the interface. Starts a server of the first two in a temporary folder and stops it
# by its process id, whatever happens. Folders of the tests are in memory (/dev/shm) where there is room. A test that cannot run prints
# `left out: NAME (reason)`; the only reason allowed is `(no ../shared)`, else the run fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

work=$(mktemp -d "${TMPDIR:-/tmp}/knik-test.XXXXXX") || exit 1
chmod 711 "$work" # the server's own user must be able to reach its folder in it
mkdir -m 700 "$work/s3"
log=$work/output.log
: >"$log"
failed=()
passed=()

pids_beside=()

# shm_is_fit: whether there is room in memory, and programs may be run from there as from any temporary folder.
shm_is_fit() {
    [[ $(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) -gt 4000000 ]] || return 1
    [[ $(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) -gt 8000000 ]] || return 1
    ! grep -q '^[^ ]* /dev/shm [^ ]* [^ ]*noexec' /proc/mounts
}
# Where the tests make their folders: in memory where there is room, for they make thousands of small databases that wait for a disk
# at each commit. What a disk refuses or does not confirm is injected by the tests themselves, there as elsewhere.
folders=$work
if shm_is_fit; then
    folders=$(mktemp -d /dev/shm/knik-test.XXXXXX) || exit 1
    chmod 711 "$folders"
fi
mkdir -m 700 "$folders/postgres" "$folders/demo"

clean_up() {
    kill "${pids_beside[@]}" 2>/dev/null || true
    tests/servers/postgres.sh stop "$folders/postgres" || true
    tests/servers/radosgw.sh stop "$work/s3" || true
    rm -rf "$work" "$folders"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

as_root() {
    if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# install_debian WHAT PACKAGE...: as root or with sudo; says what is missing where that cannot be done.
install_debian() {
    local what=$1
    shift
    if ! command -v apt-get >/dev/null; then
        echo "no $what here and no apt-get: install $* and run again" >&2
        return 1
    fi
    echo "installing the Debian packages $*"
    as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -q --no-install-recommends "$@"
}

install_postgres() {
    if command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then return; fi
    install_debian "PostgreSQL (15 or later)" postgresql
}

install_radosgw() {
    if command -v radosgw >/dev/null && command -v ceph-mon >/dev/null && command -v ceph-osd >/dev/null; then return; fi
    install_debian "Ceph object gateway" radosgw ceph-mon ceph-osd ceph-common curl openssl
}

install_softhsm() {
    if command -v softhsm2-util >/dev/null; then return; fi
    install_debian "SoftHSM" softhsm2
}

# The reader of segments that was written from the document alone needs Python with one package.
find_python() {
    if python3 -c 'import cryptography' 2>/dev/null; then
        command -v python3 >"$work/python"
        return
    fi
    python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet cryptography && printf '%s\n' "$work/venv/bin/python" >"$work/python"
}

# An OpenID provider, of one version, in a folder of its own; nothing of it is run while it is installed.
install_oidc() {
    command -v node >/dev/null && command -v npm >/dev/null || install_debian "Node.js (20 or later)" nodejs npm || return 1
    mkdir -p "$work/oidc"
    (cd "$work/oidc" && printf '{"private": true}\n' >package.json &&
        npm install --silent --no-fund --no-audit --ignore-scripts oidc-provider@9.13.3) || return 1
    printf '%s\n' "$work/oidc/node_modules" >"$work/oidc-modules"
}

install_testssl() {
    if command -v testssl >/dev/null; then return; fi
    install_debian "testssl.sh" testssl.sh
}

install_strace() {
    if command -v strace >/dev/null || ! command -v apt-get >/dev/null; then return; fi
    install_debian "strace" strace
}

# Everything that is installed; each part says itself what is missing, and the step fails when one part does.
install_all() {
    local ended=0 part
    for part in install_postgres install_radosgw install_strace install_softhsm find_python install_oidc install_testssl; do
        "$part" || ended=1
    done
    return "$ended"
}

# step NAME COMMAND...: runs it, shows and keeps what it prints, remembers how it ended.
step() {
    local name=$1
    shift
    local start=$SECONDS
    printf '\n== %s\n' "$name"
    if "$@" 2>&1 | tee -a "$log"; then passed+=("$name"); else failed+=("$name"); fi
    printf -- '-- %s: %s s\n' "$name" "$((SECONDS - start))"
}

# alone SECONDS COMMAND...: without the variables of the tests, for so long at the most.
alone() {
    local most=$1
    shift
    env -u KNIK_TEST_POSTGRES -u KNIK_TEST_S3 -u KNIK_TEST_PYTHON -u KNIK_TEST_OIDC timeout --kill-after=30 "$most" "$@"
}

# beside NAME COMMAND...: a step that runs beside others; `those_beside` waits for all of them, and shows and keeps what they printed.
names_beside=()
beside() {
    local n=${#names_beside[@]}
    names_beside+=("$1")
    shift
    { "$@" >"$work/beside-$n" 2>&1 && touch "$work/beside-$n.passed"; } &
    pids_beside+=($!)
}

those_beside() {
    local n
    for n in "${!names_beside[@]}"; do
        wait "${pids_beside[$n]}" || true
        printf '\n== %s\n' "${names_beside[$n]}"
        tee -a "$log" <"$work/beside-$n"
        if [[ -e $work/beside-$n.passed ]]; then passed+=("${names_beside[$n]}"); else failed+=("${names_beside[$n]}"); fi
        rm -f "$work/beside-$n" "$work/beside-$n.passed"
    done
    names_beside=()
    pids_beside=()
}

start_postgres() {
    local address
    address=$(tests/servers/postgres.sh start "$folders/postgres") || return 1
    printf '%s\n' "$address" >"$work/address"
    echo "running at $address"
}

start_s3() {
    local server
    server=$(tests/servers/radosgw.sh start "$work/s3") || return 1
    printf '%s\n' "$server" >"$work/s3-server"
    echo "running at ${server%% *}"
}

for tool in cargo rustfmt cargo-clippy; do
    command -v "$tool" >/dev/null || { echo "FAILED: $tool is missing; install Rust with rustfmt and clippy" >&2; exit 1; }
done

# Settings of whoever runs this must not decide what the tests see.
shared=${KNIK_SHARED:-}
unset "${!KNIK_@}"
[[ -z $shared ]] || export KNIK_SHARED=$shared

# Packages come in while the compiler works: neither waits for the other.
beside "packages" install_all
step "format" cargo fmt --check
step "build" cargo test --profile bench --no-run
those_beside
export TMPDIR=$folders
step "PostgreSQL" start_postgres
if [[ -s $work/address ]]; then
    KNIK_TEST_POSTGRES=$(<"$work/address")
    export KNIK_TEST_POSTGRES
fi
step "S3" start_s3
if [[ -s $work/s3-server ]]; then
    KNIK_TEST_S3=$(<"$work/s3-server")
    export KNIK_TEST_S3
fi
if [[ -s $work/python ]]; then
    KNIK_TEST_PYTHON=$(<"$work/python")
    export KNIK_TEST_PYTHON
fi
if [[ -s $work/oidc-modules ]]; then
    KNIK_TEST_OIDC=$(<"$work/oidc-modules")
    export KNIK_TEST_OIDC
fi
# The lints work, the tests mostly wait: the lints give way to them, and begin once `cargo test` has let go of the build folder.
lints() {
    sleep 30
    nice -n 15 cargo clippy --profile bench --all-targets -- -D warnings
}
beside "lints" lints
step "tests" cargo test --profile bench --no-fail-fast -- --show-output
those_beside
# The very program that the tests were run against, at once: each of them waits more than it works. The tests' own
# variables are no settings of the program: it refuses variables it does not know.
program=${CARGO_TARGET_DIR:-target}/release/knik
beside "demo check" alone 1800 env -u KNIK_SHARED "$program" demo --check --dir "$folders/demo/data"
# The same program against the real Presidio: status, message and body of every request.
beside "Presidio" alone 1800 env -u KNIK_SHARED tests/presidio/run.sh "$program"
# Its TLS, as a scanner sees it.
beside "TLS" alone 1800 env -u KNIK_SHARED tests/tls.sh "$program"
# The documents of the interface through the linter of the API Design Rules, and requests made up from them as each role.
beside "API" alone 1800 tests/api/run.sh "$program"
those_beside

# What was left out: named, counted, and only for the one reason that is allowed.
grep -h '^left out:' "$log" | sort -u >"$work/left-out"
left_out=$(wc -l <"$work/left-out")
if grep -v '(no \.\./shared)$' "$work/left-out" >"$work/not-allowed"; then
    failed+=("tests left out for a reason that is not allowed")
fi
tests_passed=$(sed -n 's/^test result: .* \([0-9]*\) passed;.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
tests_ignored=$(sed -n 's/^test result: .* \([0-9]*\) ignored;.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
tests_failed=$(sed -n 's/^test result: .* \([0-9]*\) failed;.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
if [[ $tests_passed -eq 0 ]]; then failed+=("no test ran"); fi

printf '\n== summary\n'
if [[ $left_out -gt 0 ]]; then cat "$work/left-out"; fi
counts="$tests_passed tests passed, $tests_failed failed, $tests_ignored ignored, $left_out left out"
if [[ ${#failed[@]} -eq 0 ]]; then
    if [[ $left_out -gt 0 ]]; then counts+=" (no ../shared)"; fi
    printf 'PASSED: %s\n' "$counts"
else
    printf -v names '%s, ' "${failed[@]}"
    printf 'FAILED: %s; %s\n' "${names%, }" "$counts"
    exit 1
fi
