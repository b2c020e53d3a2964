#!/usr/bin/env bash
# How many names are found that come from elsewhere than Knik's lists, in sentences written for this: names of the Netherlands of
# gender-guesser (first names, by country) and mimesis (surnames) from PyPI, drawn at random.
#
# run.sh [SEED] [PROGRAM]: prints, by how a name is written, how many are covered whole, and half, and how many texts have anything
# else covered. PROGRAM is `knik` (built when none is named). Neither package is part of Knik or of its lists.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
seed=${1:-1}
knik=${2:-}
[[ -n $knik ]] || { cargo build --release; knik=${CARGO_TARGET_DIR:-target}/release/knik; }
work=target/names
venv=$work/venv
if ! cmp -s "$here/requirements.txt" "$venv/made-from"; then
    echo "… making $venv" >&2
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/made-from"
fi
"$venv/bin/python" "$here/names.py" write "$seed" "$work/texts.jsonl"
"$knik" detect --jsonl --offsets chars <"$work/texts.jsonl" >"$work/findings.jsonl"
"$venv/bin/python" "$here/names.py" score "$work/texts.jsonl" "$work/findings.jsonl"
