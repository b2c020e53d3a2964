#!/usr/bin/env bash
# The interface as others see it: the linter of the NLgov API Design Rules over both documents, then requests made up from
# the served documents by schemathesis, with a token of each role. No server error, no status that is not documented.
#
#     tests/api/run.sh PROGRAM [VENV]
#
# VENV is made with the pinned packages of requirements.txt (../servers/venv.sh) and kept for the next run; the linter (npm)
# goes beside it. The ruleset lies in ../shared: without that folder the linter is left out.
set -euo pipefail
program=$(realpath "${1:?usage: run.sh PROGRAM [VENV]}")
venv=$(realpath -m "${2:-${CARGO_TARGET_DIR:-target}/schemathesis-venv}")
here=$(cd "$(dirname "$0")" && pwd)
ruleset=${KNIK_SHARED:-$here/../../../shared}/standards/adr/linter.yaml
unset KNIK_SHARED # the program refuses variables it does not know
linter=$(dirname "$venv")/spectral
examples=${EXAMPLES:-2}
failed=0

work=$(mktemp -d "${TMPDIR:-/tmp}/knik-api.XXXXXX")
service=
clean_up() {
    if [[ -n $service ]]; then kill "$service" 2>/dev/null && wait "$service" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap clean_up EXIT

as_root() {
    if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

install_linter() {
    if ! command -v npm >/dev/null; then
        echo "installing the Debian packages nodejs and npm"
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm
    fi
    if [[ ! -x $linter/node_modules/.bin/spectral ]]; then
        mkdir -p "$linter"
        npm install --silent --no-audit --no-fund --prefix "$linter" @stoplight/spectral-cli@6.16.3 >/dev/null
    fi
}

lint() {
    if [[ ! -f $ruleset ]]; then
        echo "left out: the linter of the API Design Rules (no ../shared)"
        return
    fi
    install_linter
    for plane in vault reading-room; do
        "$program" openapi "$plane" >"$work/$plane.json"
        # Warnings and hints count too.
        if "$linter/node_modules/.bin/spectral" lint --fail-severity=hint -r "$ruleset" "$work/$plane.json" >"$work/lint" 2>&1; then
            echo "$plane: no error and no warning"
        else
            cat "$work/lint"
            failed=1
        fi
    done
}

start_service() {
    KNIK_LIMITS__REQUESTS_PER_MINUTE=0 KNIK_LIMITS__SEARCHES_PER_MINUTE=0 \
        "$program" demo --dir "$work/data" --port 0 >"$work/service" 2>"$work/service-errors" &
    service=$!
    for _ in $(seq 600); do
        if grep -q '^Serving' "$work/service"; then return; fi
        kill -0 "$service" 2>/dev/null || break
        sleep 0.2
    done
    echo "the demo did not start:"
    cat "$work/service" "$work/service-errors"
    return 1
}

# address WORD: where the plane listens, as the service says.
address() {
    sed -n "s/^$1 *\(https:[^ ]*\).*/\1/p" "$work/service" | head -1
}

# fuzz PLANE ADDRESS ROLE ORGANISATION SUBJECT
fuzz() {
    local token
    token=$("$program" token --dir "$work/data" --role "$3" --organisation "$4" --subject "$5")
    if (cd "$work" && timeout --kill-after=5 600 "$venv/bin/schemathesis" run "$2/v1/openapi.json" --url "$2/v1" \
        --tls-verify "$work/data/tls/authority.pem" --header "Authorization: Bearer $token" --seed 1 --max-examples "$examples" \
        --phases examples,coverage,fuzzing --warnings off --exclude-checks positive_data_acceptance) >"$work/fuzz-$1-$3" 2>&1; then
        printf '%s as %s: %s\n' "$1" "$3" "$(grep -o '[0-9]* generated, [0-9]* passed' "$work/fuzz-$1-$3" | tail -1)"
    else
        cat "$work/fuzz-$1-$3"
        return 1
    fi
}

lint
"$here/../servers/venv.sh" "$here/requirements.txt" "$venv"
start_service
for role in public researcher official reviewer channel-manager records-manager approver data-protection-officer harvester administrator; do
    case $role in
        researcher) who=(universiteit onderzoeker-1) ;;
        official) who=(min-low ambtenaar-1) ;;
        *) who=(min-low "$role-1") ;;
    esac
    # Both planes at once: each has a process of its own.
    fuzz vault "$(address vault)" "$role" "${who[@]}" &
    other=$!
    fuzz reading-room "$(address 'reading room')" "$role" "${who[@]}" || failed=1
    wait "$other" || failed=1
done
if grep -q '"panic"' "$work/service-errors"; then
    echo "the service panicked:"
    grep '"panic"' "$work/service-errors"
    failed=1
fi
exit "$failed"
