#!/usr/bin/env bash
# testssl.sh against both planes, with the development authority trusted: no finding of medium or worse.
#
#   tests/tls.sh PROGRAM     PROGRAM: the knik to be scanned
#
# Fills a data folder in a temporary place, has the vault ask for certificates of machines (so that both kinds of TLS are
# scanned), serves it on 127.0.0.1, scans both planes at once and stops it by its process id. The checks: protocols (-p),
# kinds of ciphers (-s), forward secrecy (-f), preference (-P), certificate and defaults (-S), headers (-h), known
# vulnerabilities (-U). Left out: each of 370 ciphers by itself (-E) and simulated clients (-c), which find nothing that
# these do not and take a minute more. What could not be checked (WARN) is printed.
set -uo pipefail
program=$(realpath "${1:?usage: tests/tls.sh PROGRAM}")
work=$(mktemp -d "${TMPDIR:-/tmp}/knik-tls.XXXXXX") || exit 1
pid=

clean_up() {
    if [[ -n $pid ]]; then
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

command -v testssl >/dev/null || { echo "tls.sh: testssl is missing; install the package testssl.sh" >&2; exit 1; }

"$program" demo --check --dir "$work/data" >"$work/check.log" 2>&1 ||
    { cat "$work/check.log" >&2; echo "tls.sh: the demo could not be filled" >&2; exit 1; }
cat >>"$work/data/knik.toml" <<'END'

[vault]
client-authorities = "tls/authority.pem"
client-revoked = "tls/authority.crl"

[[machines]]
certificate = "dns:harvester.min-low.example"
organisation = "min-low"
role = "harvester"
END
"$program" demo --port 0 --dir "$work/data" >"$work/service.log" 2>&1 &
pid=$!

# port_of WORDS: of the plane whose line begins so, once it serves.
port_of() {
    local port
    for _ in {1..900}; do
        port=$(sed -n "s/^$1  *https:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p" "$work/service.log" | head -n 1)
        if [[ -n $port ]]; then printf '%s' "$port"; return; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.2
    done
    cat "$work/service.log" >&2
    return 1
}

scan() {
    timeout --kill-after=10 900 testssl --quiet --color 0 --warnings off --nodns none --ip 127.0.0.1 \
        --add-ca "$work/data/tls/authority.pem" --jsonfile "$work/$1.json" -p -s -f -P -S -h -U "localhost:$2" \
        >"$work/$1.log" 2>&1
}

vault=$(port_of vault) && room=$(port_of 'reading room') || exit 1
scan vault "$vault" &
scan reading-room "$room" &
for job in $(jobs -p); do
    if [[ $job != "$pid" ]]; then wait "$job"; fi
done

python3 - "$work" <<'END'
import json, sys

bad = 0
for plane in ("vault", "reading-room"):
    path = f"{sys.argv[1]}/{plane}"
    try:
        found = json.load(open(f"{path}.json"))
    except (OSError, ValueError):
        print(open(f"{path}.log").read())
        sys.exit(f"tls.sh: the scan of the {plane} did not end")
    checks = {one["id"] for one in found}
    # A scan that stopped half-way must not pass.
    missing = {"TLS1", "TLS1_2", "TLS1_3", "PFS", "cipher_order", "cert_chain_of_trust", "HSTS_time", "heartbleed", "LUCKY13"} - checks
    if missing or len(found) < 80:
        print(open(f"{path}.log").read())
        sys.exit(f"tls.sh: the scan of the {plane} lacks {sorted(missing)} ({len(found)} findings)")
    for one in found:
        if one["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL"):
            bad += 1
        if one["severity"] not in ("OK", "INFO", "DEBUG"):
            print(f"{plane}: {one['severity']} {one['id']}: {one['finding']}")
    print(f"{plane}: {len(found)} findings of testssl")
print(f"TLS: {bad} findings of medium or worse")
sys.exit(1 if bad else 0)
END
