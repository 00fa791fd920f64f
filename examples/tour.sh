#!/usr/bin/env bash
# The tour of README.md, run: the text between the two marks below is what the README shows. A line that starts with
# `$ ` is run; the lines under it are its answer, in which … stands for anything. Every answer and every status is
# compared. Starts a server of its own and stops it. COUNTERSIGN names a built command.
#
#   bash examples/tour.sh               as the README says, with tokens that live as long
#   TOUR_TTL=2 bash examples/tour.sh    with tokens of two seconds, and a wait that is shorter by as much
set -euo pipefail
cd "$(dirname "$0")"
source ./server.sh

tour=$(sed -n '/^# tour:begin$/,/^# tour:end$/p' tour.sh | sed '1d;$d')
statuses=(201 200 200 401 401 401 200 200 401 401)
: <<'TOUR'
# tour:begin
$ URL=${URL:-http://127.0.0.1:8080} JSON='content-type: application/json'
$ curl -s $URL/signup -H "$JSON" -d '{"email":"ada@example.com","password":"lantern orbit quilt 42"}'
{"message":"User created","user":{"sub":"…","email":"ada@example.com","roles":[]}}
$ curl -s $URL/login -H "$JSON" -d '{"email":"ada@example.com","password":"lantern orbit quilt 42"}' | tee login.json
{"message":"Login successful","token":"eyJ…","access_token":"eyJ…","token_type":"Bearer","expires_in":…,"refresh_token":"v1.…"}
$ field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" login.json; }
$ TOKEN=$(field token) REFRESH=$(field refresh_token)
$ curl -s $URL/profile -H "authorization: Bearer $TOKEN"
{"message":"Welcome, ada@example.com","user":{"sub":"…","email":"ada@example.com","roles":[]}}
$ curl -s $URL/profile
{…"status":401,…"message":"No token provided"}
$ curl -s $URL/profile -H "authorization: Bearer ${TOKEN%????}AAAA"
{…"status":401,…"message":"Invalid token"}
$ sleep 21
$ curl -s $URL/profile -H "authorization: Bearer $TOKEN"
{…"status":401,…"code":"token_expired","message":"jwt expired"}
$ curl -s $URL/refresh -H "$JSON" -d "{\"refresh_token\":\"$REFRESH\"}" | tee login.json
{"message":"Token refreshed","token":"eyJ…","access_token":"eyJ…","token_type":"Bearer","expires_in":…,"refresh_token":"v1.…"}
$ TOKEN=$(field token) REFRESH=$(field refresh_token)
$ curl -s -X POST $URL/logout -H "authorization: Bearer $TOKEN"
{"message":"Logout successful"}
$ curl -s $URL/profile -H "authorization: Bearer $TOKEN"
{…"status":401,…"code":"token_revoked","message":"Invalid token"}
$ curl -s $URL/refresh -H "$JSON" -d "{\"refresh_token\":\"$REFRESH\"}"
{…"status":401,…"message":"Invalid refresh token"}
# tour:end
TOUR

command -v curl >/dev/null || die 'the tour needs curl'

# How long a token lives, in seconds: in the README, and here.
told=$(sed -n 's/.*serve --access-ttl \([0-9]*\)s`.*/\1/p' ../README.md)
[[ -n $told ]] || die 'README.md says of no --access-ttl how long it is'
ttl=${TOUR_TTL:-$told}

# What the tour calls curl also writes the status down.
curl() {
    # A life is counted in whole seconds: a token is asked for when one begins.
    [[ $* != *login* && $* != *refresh* ]] || command sleep "0.$(printf '%03d' $((1000 - 10#$(date +%N | cut -c1-3) % 1000)))"
    command curl -S -o "$scratch/body" -w '%{http_code}\n' "$@" >>"$scratch/status"
    cat "$scratch/body"
    echo
}

run() { # run COMMAND EXPECTED: in this shell, because commands set variables
    local command=$1 expected=$2 answer pattern
    printf '\n$ %s\n' "$command"
    : >"$scratch/status"
    eval "$command" >"$scratch/answer"
    answer=$(<"$scratch/answer")
    [[ -z $answer ]] || printf '%s\n' "$answer"
    pattern=$(sed -e 's/[][\\*?]/\\&/g' -e 's/…/*/g' <<<"$expected")
    # shellcheck disable=SC2053 # the right side is a pattern
    [[ $answer == $pattern ]] || die "expected: $expected"
    [[ -s $scratch/status ]] || return 0
    [[ $(<"$scratch/status") == "${statuses[0]}" ]] || die "status $(<"$scratch/status"), expected ${statuses[0]}"
    statuses=("${statuses[@]:1}")
}

start_server --access-ttl "${ttl}s"
# shellcheck disable=SC2034 # the tour reads it
URL=$url
cat "$scratch/server.log"

# What the tour calls sleep waits as long beyond the end of a token as the README's does.
sleep() {
    command sleep $(($1 - told + ttl))
}

cd "$scratch"
command= expected=
while IFS= read -r line; do
    if [[ $line == '$ '* ]]; then
        [[ -z $command ]] || run "$command" "$expected"
        command=${line#'$ '} expected=
    else
        expected+=${expected:+$'\n'}$line
    fi
done <<<"$tour"
run "$command" "$expected"
((${#statuses[@]} == 0)) || die "${#statuses[@]} answers did not come"
stop_server
printf '\nThe tour passed.\n'
