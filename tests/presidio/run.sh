#!/usr/bin/env bash
# Compares `knik detector` with the real Presidio over HTTP on loopback.
#
#     tests/presidio/run.sh PROGRAM [VENV]
#
# VENV is made with the pinned packages of requirements.txt when it is not there or not of these packages (PyPI; the
# Debian package python3-venv is installed when Python lacks it), and kept for the next run.
# Ends both servers whatever happens: they stop when this script's comparison does.
set -euo pipefail
program=${1:?usage: run.sh PROGRAM [VENV]}
venv=${2:-${CARGO_TARGET_DIR:-target}/presidio-venv}
here=$(cd "$(dirname "$0")" && pwd)

as_root() {
    if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# What the environment was made of: these packages by this Python.
stamp=$(python3 --version && sha256sum <"$here/requirements.txt")

make_venv() {
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo "installing the Debian package python3-venv"
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv
    fi
    echo "making $venv"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    printf '%s\n' "$stamp" >"$venv/knik-stamp"
}

mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock --timeout 600 9
[[ $(cat "$venv/knik-stamp" 2>/dev/null) == "$stamp" ]] || make_venv
exec 9>&-
exec timeout --kill-after=10 300 "$venv/bin/python" "$here/compare.py" "$program"
