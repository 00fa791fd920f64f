#!/usr/bin/env bash
# The programs of the inspector's Code panel, run: each language with its real library, for each kind of key. A valid
# token passes; one with another payload and an expired one are refused, and so is one of another type than is expected. One
# without exp passes where the page was told to take it, and nowhere else.
# The programs are those that a running `countersign inspect` writes. Prints a row per language and key; exits with 1
# where one failed, with 3 and a reason where none could run.
#
#   bash tests/programs/run.sh                     all of it
#   COUNTERSIGN=FILE bash tests/programs/run.sh    with this command, instead of a debug build
set -euo pipefail
[[ -z ${COUNTERSIGN:-} ]] || COUNTERSIGN=$(realpath "$COUNTERSIGN")
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

lacks() {
    printf 'skipped: %s\n' "$1"
    exit 3
}
for command in curl node; do
    command -v "$command" >/dev/null || lacks "$command not found"
done
if [[ -z ${COUNTERSIGN:-} ]]; then
    (cd "$root" && cargo build --locked --quiet -p countersign-cli)
    COUNTERSIGN=${CARGO_TARGET_DIR:-$root/target}/debug/countersign
fi

work=$(mktemp -d) inspector=
stop() {
    [[ -z $inspector ]] || { kill "$inspector" && wait "$inspector"; } 2>/dev/null || true
    rm -rf "$work" examples
}
trap stop EXIT

# ---- what each language needs ----

skip() { printf '%-6s skipped: %s\n' "$1" "$2"; }
languages=()
prepare() { # prepare LANGUAGE COMMAND…
    if "${@:2}" >"$work/log" 2>&1; then
        languages+=("$1")
    else
        skip "$1" "$(tail -n 1 "$work/log")"
    fi
}
has_node() {
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo 'node is older than 20'; return 1; }
    command -v npm || { echo 'npm not found'; return 1; }
    npm ci --silent
}
has_python() {
    command -v python3 || { echo 'python3 not found'; return 1; }
    python3 -c 'import ensurepip, venv' || { echo 'python3-venv not found'; return 1; }
    python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt
}
has_go() {
    command -v go || { echo 'go not found'; return 1; }
    GOTOOLCHAIN=local go mod download
}
has_rust() { command -v cargo || { echo 'cargo not found'; return 1; }; }
prepare node has_node
prepare python has_python
prepare go has_go
prepare rust has_rust
prepare curl command -v xxd

# ---- the inspector, and what it is asked ----

exec 3< <(exec "$COUNTERSIGN" inspect 2>"$work/stderr")
inspector=$!
read -r -t 60 url <&3 || { cat "$work/stderr"; exit 1; }

# ask LANGUAGE FORM KEY TOKEN [TYP [ENDLESS]]: the program
ask() {
    node -e '
        const [, language, form, text, token, typ = "", endless] = process.argv;
        const policy = { typ, allow_no_exp: endless === "endless" };
        console.log(JSON.stringify({ language, question: { token, key: { form, text }, policy } }));
    ' "$@" | curl -fsS "$url/program" -H 'content-type: application/json' --data-binary @- |
        node -e 'process.stdout.write(JSON.parse(require("fs").readFileSync(0, "utf8")).program)'
}

# ---- the keys: a form, its text for the inspector, what SECRET holds, and what signs ----

secret=$("$COUNTERSIGN" key generate HS256 | sed -n 's/.*"k": *"\([^"]*\)".*/\1/p')
hex=$(node -e 'process.stdout.write(Buffer.from(process.argv[1], "base64url").toString("hex"))' "$secret")
base64=$(node -e 'process.stdout.write(Buffer.from(process.argv[1], "base64url").toString("base64"))' "$secret")
printf '%s' "$secret" >"$work/text.key"
node -e 'process.stdout.write(Buffer.from(process.argv[1], "base64url"))' "$secret" >"$work/octets.key"
for alg in RS256 ES256 EdDSA; do
    "$COUNTERSIGN" key generate "$alg" --out "$work/$alg.jwk" --public-out "$work/$alg.public.jwk" >/dev/null
    "$COUNTERSIGN" key generate "$alg" --format pem --out "$work/$alg.pem" --public-out "$work/$alg.public.pem" >/dev/null
done
printf '{"keys":[%s]}' "$(<"$work/ES256.public.jwk")" >"$work/jwks.json"

# A name, the form, the text, SECRET, the algorithm, and the file that signs.
cases=(
    "HS256-text text $secret $secret HS256 text.key"
    "HS256-base64 base64 $base64 $base64 HS256 octets.key"
    "HS256-base64url base64url $secret $secret HS256 octets.key"
    "HS256-hex hex $hex $hex HS256 octets.key"
    "RS256-pem pem @RS256.public.pem - RS256 RS256.pem"
    "ES256-pem pem @ES256.public.pem - ES256 ES256.pem"
    "EdDSA-pem pem @EdDSA.public.pem - EdDSA EdDSA.pem"
    "RS256-jwk jwk @RS256.public.jwk - RS256 RS256.jwk"
    "EdDSA-jwk jwk @EdDSA.jwk - EdDSA EdDSA.jwk"
    "ES256-jwks jwks @jwks.json - ES256 ES256.jwk"
)

sign() { "$COUNTERSIGN" sign --key "$work/$1" --alg "$2" --iss https://id.example --aud orders-api --sub ada "${@:3}"; }
# kinds NAME: the tokens of a case; for one secret and one public key a type is expected, too, and there are tokens without
# exp, where these are taken and where they are not
kinds() {
    echo valid tampered expired
    case $1 in HS256-text | ES256-pem) echo typed mistyped endless unended ;; esac
}
tampered() { # the same signature under the claims of somebody else
    node -e '
        const [header, payload, signature] = process.argv[1].split(".");
        const claims = { ...JSON.parse(Buffer.from(payload, "base64url")), sub: "eve" };
        console.log([header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join("."));
    ' "$1"
}

# ---- write them all, build what is built, run them all ----

mkdir -p examples
place() { # place LANGUAGE NAME: where a program stands
    case $1 in
        node) echo "examples/$2.mjs" ;;
        python) echo "examples/$2.py" ;;
        go) echo "examples/$2/main.go" ;;
        rust) echo "examples/$2.rs" ;;
        curl) echo "examples/$2.sh" ;;
    esac
}
for case in "${cases[@]}"; do
    read -r name form text _ alg signer <<<"$case"
    [[ $text != @* ]] || text=$(<"$work/${text#@}")
    valid=$(sign "$signer" "$alg" --expires-in 2h)
    typed=$(sign "$signer" "$alg" --expires-in 2h --typ application/AT+jwt)
    expired=$(sign "$signer" "$alg" --claim-json exp=1700000000 --allow-expired --no-iat 2>"$work/log")
    endless=$(sign "$signer" "$alg" --no-exp)
    for language in "${languages[@]}"; do
        for kind in $(kinds "$name"); do
            typ=
            case $kind in
                valid) token=$valid ;;
                tampered) token=$(tampered "$valid") ;;
                expired) token=$expired ;;
                typed) token=$typed typ=at+jwt ;;
                mistyped) token=$valid typ=at+jwt ;;
                endless | unended) token=$endless ;;
            esac
            file=$(place "$language" "$name-$kind")
            mkdir -p "$(dirname "$file")"
            ask "$language" "$form" "$text" "$token" "$typ" "$kind" >"$file"
        done
    done
done

mkdir -p "$work/bin"
rust_target=${CARGO_TARGET_DIR:-$root/target}/programs
for language in "${languages[@]}"; do
    case $language in
        go) GOTOOLCHAIN=local go build -mod=readonly -o "$work/bin/" ./examples/... ;;
        rust) cargo build --locked --quiet --examples --target-dir "$rust_target" ;;
    esac
done

run() { # run LANGUAGE NAME, in a folder that has the key's files
    case $1 in
        node) node "examples/$2.mjs" ;;
        python) .venv/bin/python "examples/$2.py" ;;
        go) (cd "$work" && "bin/$2") ;;
        rust) (cd "$work" && "$rust_target/debug/examples/$2") ;;
        curl) (cd "$work" && PATH=$work/path:$PATH bash "$OLDPWD/examples/$2.sh") ;;
    esac
}
mkdir -p "$work/path"
ln -s "$COUNTERSIGN" "$work/path/countersign"
cp "$work/jwks.json" jwks.json
trap 'stop; rm -f jwks.json' EXIT

failed=0
for case in "${cases[@]}"; do
    read -r name _ _ SECRET _ _ <<<"$case"
    export SECRET
    for language in "${languages[@]}"; do
        row=
        for kind in $(kinds "$name"); do
            status=0
            run "$language" "$name-$kind" >"$work/log" 2>&1 </dev/null || status=$?
            word=passed
            ((status == 0)) || word=refused
            wanted=refused
            case $kind in valid | typed | endless) wanted=passed ;; esac
            # A program that breaks refuses nothing: what it says is looked at, too.
            case $kind in
                valid | typed | endless) ;;
                mistyped) grep -qE '\btyp\b|TypeMismatch' "$work/log" || word=broken ;;
                tampered) grep -qiE 'signature|crypto/rsa|ed25519' "$work/log" || word=broken ;;
                expired) grep -qiE 'expired|"exp"' "$work/log" || word=broken ;;
                unended) grep -qiE '\bexp\b' "$work/log" || word=broken ;;
            esac
            if [[ $word != "$wanted" ]]; then
                failed=1
                row+=" $kind: $word, and not $wanted;"
                sed 's/^/    /' "$work/log" | tail -n 12
            fi
        done
        printf '%-16s %-7s %s\n' "$name" "$language" "${row:-ok}"
    done
done
((failed == 0))
