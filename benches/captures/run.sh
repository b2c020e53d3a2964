#!/usr/bin/env bash
# Reading captures, measured: run.sh formats [PATH...] | large [BYTES] [KIND...] | warcio [PATH...]
#
# formats: each format beside serde_json (or the csv crate), samples as they are and repeated to a megabyte; without a
# path those of ../shared and of this folder. large: peak memory and time, 2,000,000,000 bytes when not given.
# warcio: dense WARC files and the samples beside warcio, in a venv below target/peers. KNIK names another build.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=$(cd "$here/../.." && pwd)
knik=${KNIK:-$home/target/release/knik}
[[ -x $knik ]] || (cd "$home" && cargo build --release)
what=${1:-formats}
shift || true
case $what in
formats)
    paths=("$@")
    if [[ ${#paths[@]} -eq 0 ]]; then
        paths=("$here/samples")
        shared=${KNIK_SHARED:-$home/../shared}/captures
        [[ -d $shared ]] && paths+=("$shared")
    fi
    "$knik" bench captures "${paths[@]}"
    "$knik" bench captures --grow 1000000 "${paths[@]}"
    ;;
large)
    folder=$(mktemp -d "${TMPDIR:-/tmp}/knik-large.XXXXXX")
    trap 'rm -rf "$folder"' EXIT
    size=${1:-2000000000}
    shift || true
    python3 "$here/large.py" "$knik" "$size" "$folder" "$@"
    ;;
warcio)
    venv=$home/target/peers/warcio
    [[ -x $venv/bin/python ]] || { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet warcio==1.8.1; }
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    samples=("$@")
    shared=${KNIK_SHARED:-$home/../shared}/captures/warc
    [[ ${#samples[@]} -gt 0 || ! -d $shared ]] || samples=("$shared"/*.warc*)
    "$venv/bin/python" "$here/warcio_beside.py" "$knik" "$folder" "${samples[@]}"
    ;;
*)
    echo "usage: benches/captures/run.sh formats [PATH...] | large [BYTES] [KIND...] | warcio [PATH...]" >&2
    exit 2
    ;;
esac
