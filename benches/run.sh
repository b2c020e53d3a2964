#!/bin/sh
# Builds Knik and measures it. The load generator is Debian's wrk: installed when missing and this is root.
# Arguments go to the bench: `benches/run.sh views --count 20000 --json`.
set -eu
cd "$(dirname "$0")/.."
if ! command -v wrk >/dev/null 2>&1; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "wrk is missing: apt-get install wrk" >&2
        exit 1
    fi
    apt-get install -y --no-install-recommends wrk
fi
exec cargo bench --profile release --bench spine -- "$@"
