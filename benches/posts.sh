#!/bin/sh
# Prints the path of the posts to measure the detector on: the argument, else the evaluation posts beside the repository
# (KNIK_SHARED names their folder, ../shared when unset), else 20,000 generated ones that are made here.
set -eu
cd "$(dirname "$0")/.."
shared=${KNIK_SHARED:-../shared}/eval/dev/nl_posts.jsonl
made=target/posts.jsonl
if [ "${1:-}" ]; then
    echo "$1"
elif [ -r "$shared" ]; then
    echo "$shared"
else
    if [ ! -s "$made" ]; then
        cargo bench --profile release --quiet --bench spine -- posts --count 20000 >"$made.new"
        mv "$made.new" "$made"
    fi
    echo "$made"
fi
