#!/bin/sh
# Builds Knik and measures its detector: speed on posts beside a bare scan, then time against length of hostile texts.
# detector.sh [FILE]: JSONL with `id` and `text`, or a post a line; see posts.sh for what is taken when none is named.
set -eu
file=
[ -z "${1:-}" ] || file=$(realpath "$1")
cd "$(dirname "$0")/.."
cargo build --release
posts=$(benches/posts.sh "$file")
knik=${CARGO_TARGET_DIR:-target}/release/knik
echo "== the detector on $posts"
"$knik" bench detect "$posts"
echo
echo "== time against length"
mkdir -p target
"$knik" bench length --svg target/length.svg
echo "drawn in target/length.svg"
echo
echo "Other detectors beside it, on the same posts: benches/peers/run.sh"
