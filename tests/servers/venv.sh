#!/usr/bin/env bash
# Makes a Python environment with pinned packages, or leaves the one that is there when it is of these packages.
#
#     tests/servers/venv.sh REQUIREMENTS VENV
#
# Packages come from PyPI; the Debian package python3-venv is installed when Python lacks it.
set -euo pipefail
requirements=${1:?usage: venv.sh REQUIREMENTS VENV}
venv=${2:?usage: venv.sh REQUIREMENTS VENV}

as_root() {
    if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# What the environment was made of: these packages by this Python.
stamp=$(python3 --version && sha256sum <"$requirements")

make_venv() {
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo "installing the Debian package python3-venv"
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -q --no-install-recommends python3-venv
    fi
    echo "making $venv"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check --no-deps -r "$requirements"
    printf '%s\n' "$stamp" >"$venv/knik-stamp"
}

mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock --timeout 600 9
[[ $(cat "$venv/knik-stamp" 2>/dev/null) == "$stamp" ]] || make_venv
