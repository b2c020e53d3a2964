#!/usr/bin/env bash
# Compares `knik detector` with the real Presidio over HTTP on loopback.
#
#     tests/presidio/run.sh PROGRAM [VENV]
#
# VENV is made with the pinned packages of requirements.txt (../servers/venv.sh) and kept for the next run.
# Ends both servers whatever happens: they stop when this script's comparison does.
set -euo pipefail
program=${1:?usage: run.sh PROGRAM [VENV]}
venv=${2:-${CARGO_TARGET_DIR:-target}/presidio-venv}
here=$(cd "$(dirname "$0")" && pwd)

"$here/../servers/venv.sh" "$here/requirements.txt" "$venv"
exec timeout --kill-after=10 1200 "$venv/bin/python" "$here/compare.py" "$program"
