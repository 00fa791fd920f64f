#!/usr/bin/env bash
# Clients of other languages and libraries, both directions: they verify what Countersign signs, Countersign verifies
# what they sign, and each side refuses an expired token, a tampered one, one for another audience and `alg: none`.
# Prints one row per library and algorithm; exits with 1 when a row failed. COUNTERSIGN names a built command.
set -euo pipefail
cd "$(dirname "$0")"
source ./server.sh

readonly audience=orders-api algorithms='HS256 RS256 ES256 EdDSA'
readonly credentials='{"email":"ada@example.com","password":"lantern orbit quilt mosaic 42"}'
secret=$(head -c 32 /dev/urandom | base64)
printf '%s' "$secret" >"$scratch/secret"
failed=0
service_pid=
trap 'stop_service; stop_server; rm -rf "$scratch"' EXIT

# ---- one client per folder: what it needs, how it is prepared, how it is started, what its library does not know ----

needs_node() { # needs_node MAJOR
    command -v node >/dev/null || { echo 'node not found'; return 1; }
    command -v npm >/dev/null || { echo 'npm not found'; return 1; }
    node -e "process.exit(parseInt(process.versions.node) < $1 ? 1 : 0)" || { echo "node is older than $1"; return 1; }
}
needs_python() {
    command -v python3 >/dev/null || { echo 'python3 not found'; return 1; }
    python3 -c 'import ensurepip, venv' 2>/dev/null || { echo 'python3-venv not found'; return 1; }
}
needs_go() {
    command -v go >/dev/null || { echo 'go not found'; return 1; }
    local minor
    minor=$(GOTOOLCHAIN=local go env GOVERSION | sed -E 's/^go1\.([0-9]+).*/\1/')
    ((minor >= 22)) || { echo 'go is older than 1.22'; return 1; }
}
needs() {
    case $1 in
        node-*) needs_node 20 ;;
        python-*) needs_python ;;
        go-*) needs_go ;;
        rust-*) command -v cargo >/dev/null || { echo 'cargo not found'; return 1; } ;;
    esac
}

prepare() {
    case $1 in
        node-*) npm ci --silent ;;
        python-*) python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt ;;
        go-*) GOTOOLCHAIN=local go build -mod=readonly -o service . ;;
        rust-*) cargo build --quiet --locked --target-dir "$rust_target" ;;
    esac
}
rust_target=${CARGO_TARGET_DIR:-$root/target}/examples

client() { # client FOLDER [sign]: becomes the client
    case $1 in
        node-*) exec node service.js "${@:2}" ;;
        python-*) exec .venv/bin/python service.py "${@:2}" ;;
        go-*) exec ./service "${@:2}" ;;
        rust-*) exec "$rust_target/debug/example-rust-jsonwebtoken" "${@:2}" ;;
    esac
}

knows() { [[ $1 != node-jsonwebtoken || $2 != EdDSA ]]; }

# ---- what the server signs ----

log_in() {
    curl -sS "$url/login" -H 'content-type: application/json' -d "$credentials" |
        sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'
}
base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
from_base64url() {
    local text
    text=$(tr -- '-_' '+/')
    while ((${#text} % 4)); do text+='='; done
    base64 -d <<<"$text"
}
tampered() { # the same signature under the claims of somebody else
    local header payload signature
    IFS=. read -r header payload signature <<<"$1"
    payload=$(from_base64url <<<"$payload" | sed -E 's/"sub": ?"[^"]*"/"sub":"eve"/' | base64url)
    echo "$header.$payload.$signature"
}
unsigned() { # the same claims, signed by nobody
    local header payload signature
    IFS=. read -r header payload signature <<<"$1"
    echo "$(printf '{"alg":"none","typ":"at+jwt"}' | base64url).$payload."
}

# Starts the server three times on one data folder, so with one issuer and one key: for a token that expires at once,
# for one that is made for another service, and for a good one. The last server stays.
issue_tokens() {
    local alg=$1 flags=(--signing-alg "$1")
    [[ $alg != HS256 ]] || flags+=(--signing-secret-file "$scratch/secret")
    rm -rf "$scratch/data"
    listen=127.0.0.1:0
    start_server "${flags[@]}" --audience "$audience" --access-ttl 1s
    curl -sSf -o "$scratch/answer" "$url/signup" -H 'content-type: application/json' -d "$credentials"
    expired=$(log_in)
    local expired_from=$((SECONDS + 2))
    stop_server
    listen=${url#http://}
    start_server "${flags[@]}" --audience billing-api
    elsewhere=$(log_in)
    stop_server
    start_server "${flags[@]}" --audience "$audience"
    good=$(log_in)
    while ((SECONDS < expired_from)); do sleep 0.1; done
    [[ -n $expired && -n $elsewhere && -n $good ]] || die "no access token from the server ($alg)"
}

# ---- the checks ----

start_service() { # sets $service
    : >"$scratch/service.log"
    (client "$1") >"$scratch/service.log" 2>&1 </dev/null &
    service_pid=$!
    for _ in {1..200}; do
        service=$(sed -n 's/^listening /http:\/\/127.0.0.1:/p' "$scratch/service.log")
        [[ -z $service ]] || return 0
        sleep 0.05
    done
    return 1
}
stop_service() {
    [[ -n $service_pid ]] || return 0
    kill "$service_pid" 2>/dev/null || true
    wait "$service_pid" 2>/dev/null || true
    service_pid=
}

status() { # status TOKEN
    curl -sS -o "$scratch/answer" -w '%{http_code}' "$service/profile" -H "authorization: Bearer $1" || true
}
they_verify_ours() {
    [[ $(status "$good") == 200 ]] && grep -q 'Welcome, ' "$scratch/answer"
}
they_refuse() {
    local token
    for token in "$expired" "$(tampered "$good")" "$elsewhere" "$(unsigned "$good")"; do
        [[ $(status "$token") == 401 ]] || return 1
    done
}

verify() { # verify AUDIENCE TOKEN [FLAG…]: prints `ok`, or the code of the refusal
    "$COUNTERSIGN" verify --key "$VERIFY_WITH" --alg "$ALG" --iss "$ISSUER" --aud "$1" --json "${@:3}" "$2" \
        >"$scratch/verdict" && echo ok || sed -n 's/.*"code":"\([^"]*\)".*/\1/p' "$scratch/verdict"
}
we_verify_theirs() { [[ $(verify "$audience" "$theirs") == ok ]]; }
we_refuse() {
    [[ $(verify "$audience" "$theirs" --at "$(($(date +%s) + 3600))") == token_expired ]] &&
        [[ $(verify "$audience" "$(tampered "$theirs")") == signature_invalid ]] &&
        [[ $(verify billing-api "$theirs") == audience_mismatch ]] &&
        [[ $(verify "$audience" "$(unsigned "$theirs")") == unsecured ]]
}

mark() { if "$@"; then echo pass; else echo FAIL; fi; }
row() { printf '%-20s %-10s %-14s %-10s %-15s %-11s %s\n' "$@"; }

run_client() { # run_client FOLDER: one row, with $ALG and the tokens as they are
    local ours=FAIL refuses=FAIL signs=FAIL refused=FAIL result=pass theirs=
    if start_service "$1"; then
        ours=$(mark they_verify_ours)
        refuses=$(mark they_refuse)
    fi
    stop_service
    if theirs=$(client "$1" sign 2>>"$scratch/service.log"); then
        signs=$(mark we_verify_theirs)
        refused=$(mark we_refuse)
    fi
    [[ $ours$refuses$signs$refused == passpasspasspass ]] || { result=FAIL failed=1; }
    row "$1" "$ALG" "$ours" "$refuses" "$signs" "$refused" "$result"
    [[ $result == pass ]] || sed 's/^/    /' "$scratch/service.log"
}

# ---- all of them ----

clients=()
declare -A unavailable=()
for folder in node-jsonwebtoken node-jose python-pyjwt go-golang-jwt rust-jsonwebtoken; do
    clients+=("$folder")
    if ! reason=$(needs "$folder"); then
        unavailable[$folder]="skipped: $reason"
    elif ! (cd "$folder" && prepare "$folder") >"$scratch/prepare.log" 2>&1; then
        unavailable[$folder]='FAIL: its packages could not be installed'
        failed=1
        cat "$scratch/prepare.log" >&2
    fi
done

row library algorithm 'verifies ours' 'refuses 4' 'ours verifies' 'ours refuses 4' result
export ALG ISSUER AUDIENCE=$audience JWKS_URL SECRET=$secret KEY_FILE=$scratch/private.pem
for ALG in $algorithms; do
    issue_tokens "$ALG"
    ISSUER=$url JWKS_URL=$url/.well-known/jwks.json VERIFY_WITH=$scratch/secret
    if [[ $ALG != HS256 ]]; then
        VERIFY_WITH=$scratch/public.pem
        rm -f "$KEY_FILE" "$VERIFY_WITH"
        "$COUNTERSIGN" key generate "$ALG" --format pem --out "$KEY_FILE" --public-out "$VERIFY_WITH"
    fi
    for folder in "${clients[@]}"; do
        if [[ -n ${unavailable[$folder]:-} ]]; then
            row "$folder" "$ALG" - - - - "${unavailable[$folder]}"
        elif ! knows "$folder" "$ALG"; then
            row "$folder" "$ALG" - - - - 'not known by the library'
        else
            cd "$folder"
            run_client "$folder"
            cd ..
        fi
    done
    stop_server
done
exit "$failed"
