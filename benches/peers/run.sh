#!/usr/bin/env bash
# Other detectors on the same posts as Knik, one after the other: one thread each, warm, one call a post.
#
# run.sh [FILE] [PEER...]: FILE is JSONL with `id` and `text` (see ../posts.sh for what is taken when none is named); a PEER
# is presidio, deduce or scrubadub (the first two when none is named). Each peer gets a venv of its own below target/peers,
# made once; DEDUCE builds its look-up tables at the first run, which takes minutes. KNIK_ROUNDS: rounds of each peer (3).
#
# Where FILE has its gold beside it (NAME.gold.jsonl) and KNIK_SHARED (or ../shared) holds eval/score.py, findings are scored.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
given=
if [[ $# -gt 0 && -f $1 ]]; then given=$(realpath "$1"); shift; fi
cd "$here/../.."
peers=("$@")
[[ ${#peers[@]} -gt 0 ]] || peers=(presidio deduce)
rounds=${KNIK_ROUNDS:-3}
work=target/peers
mkdir -p "$work"

cargo build --release
posts=$(benches/posts.sh "$given")
knik=${CARGO_TARGET_DIR:-target}/release/knik
score=${KNIK_SHARED:-../shared}/eval/score.py
gold=${posts%.jsonl}.gold.jsonl

# score NAME: scores target/peers/NAME.findings.jsonl, when there is something to score it with.
score() {
    rm -f "$work/$1.score"
    [[ -r $score && -r $gold && -s $work/$1.findings.jsonl ]] || return 0
    python3 "$score" "$posts" "$work/$1.findings.jsonl" --json >"$work/$1.score"
}

for peer in "${peers[@]}"; do
    [[ -r $here/requirements-$peer.txt ]] || { echo "\`$peer\` is no peer; known: presidio deduce scrubadub" >&2; exit 2; }
    venv=$work/venv-$peer
    if ! cmp -s "$here/requirements-$peer.txt" "$venv/made-from"; then
        echo "… making $venv" >&2
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-$peer.txt"
        cp "$here/requirements-$peer.txt" "$venv/made-from"
    fi
done

echo "… knik" >&2
"$knik" bench detect "$posts" --json >"$work/knik.json"
rm -f "$work/knik.findings.jsonl"
"$knik" detect --jsonl <"$posts" >"$work/knik.findings.jsonl" || { rm -f "$work/knik.findings.jsonl"; echo "knik detect gave no findings to score" >&2; }
score knik
measured=("$work/knik.json")
for peer in "${peers[@]}"; do
    echo "… $peer" >&2
    "$work/venv-$peer/bin/python" "$here/peer.py" "$peer" "$posts" "$work/$peer.findings.jsonl" "$rounds" >"$work/$peer.json"
    score "$peer"
    measured+=("$work/$peer.json")
done
echo "posts: $posts; $(date -u +%F), $(nproc) cores, $(uname -sm)"
python3 "$here/report.py" "${measured[@]}"
