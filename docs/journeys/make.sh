#!/bin/bash
# Walks both journeys on a demo of its own, over TLS with real tokens, and writes docs/journeys.md with what was asked and answered.
# Everyone in it is invented. Beside it: the letter of the decision and the official's rendition, as PDF.
#
#   docs/journeys/make.sh [PATH-TO-KNIK]      # target/debug/knik when absent; needs python3, nothing else
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
knik=${1:-$here/../../target/debug/knik}
[ -x "$knik" ] || { echo "build it first: cargo build --bins; or name the program" >&2; exit 1; }
exec python3 "$here/walk.py" "$(realpath "$knik")" "$here"
