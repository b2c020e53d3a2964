#!/usr/bin/env bash
# Builds the fuzz targets with coverage, on the stable compiler, and runs each for a bounded time.
#
# run.sh [SECONDS] [TARGET...]: 60 seconds and all targets when not given. What is found stays in target/fuzz/corpus; an
# input that fails is kept in target/fuzz/found, and the exit status is 1. `run.sh 0` replays the corpus and stops.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(detect patterns lists capture letters assessments)
[[ $seconds =~ ^[0-9]+$ ]] || { echo "usage: tests/fuzz/run.sh [SECONDS] [TARGET...]" >&2; exit 2; }

home=$(cd ../.. && pwd)/target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
# Named with --target, so that build scripts are built without the flags.
export RUSTFLAGS="-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
-C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
-C llvm-args=-sanitizer-coverage-trace-compares -C codegen-units=1"
export CARGO_TARGET_DIR=$home/build
cargo build --release --target "$host"
bin=$home/build/$host/release
corpus=$home/corpus found=$home/found
mkdir -p "$found"
KNIK_FUZZ_CORPUS=$corpus "$bin/seeds" 2>/dev/null

failed=()
for target in "${targets[@]}"; do
    echo "== $target, $seconds s"
    limit=(-max_total_time="$seconds")
    [[ $seconds -gt 0 ]] || limit=(-runs=0)
    "$bin/$target" "$corpus/$target" "${limit[@]}" -dict=dictionary.txt -max_len=4096 -timeout=20 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$found/$target-" 2>"$home/$target.log" || failed+=("$target")
    grep -E '^stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)|panicked|ERROR: libFuzzer|Test unit written' "$home/$target.log" || true
    grep -E 'cov: ' "$home/$target.log" | tail -n 1
done
if [[ ${#failed[@]} -gt 0 ]]; then
    echo "FAILED: ${failed[*]}; inputs in target/fuzz/found, output in target/fuzz/TARGET.log" >&2
    exit 1
fi
echo "no target failed"
