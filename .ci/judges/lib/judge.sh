# What every judge shares; a script sources it first. It leaves the working
# directory in a folder of its own that is removed at the end, and names:
#   $root     the checkout
#   $lib      this folder
#   $b2form   the program
# All a judge starts is below one emulator, which ends with its command.
set -euo pipefail
judge=$(basename "$0")
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export lib
root=$(cd "$lib/../../.." && pwd)
export GOWORK=off
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
b2form=${B2FORM:-}
if [ -z "$b2form" ]; then
  b2form=$work/b2form
  go build -C "$root" -o "$b2form" ./cmd/b2form
fi
export b2form work
cd "$work"

# installs PACKAGE...: from Debian, unless they are there.
installs() {
  local missing=() package as_root=()
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >apt.log 2>&1 || { cat apt.log; return 1; }
}

# source_of MODULE@VERSION SUM: puts a copy of the module, with its own go.mod,
# into the folder src, so that its tests run as its authors run them.
source_of() {
  go mod download -json "$1" >module.json
  grep -q "\"Sum\": \"$2\"" module.json || { echo "$judge: $1 is not what it was"; return 1; }
  cp -r "$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' module.json)" src
  chmod -R u+w src
}

# built PACKAGE...: makes the tests of packages in src the programs ./tests, or
# ./tests-2 and so on. Behind a tunnel go itself would find no modules.
built() {
  local n=1 package
  for package; do
    go test -C src -c -o "$work/tests$([ $n = 1 ] || echo -$n)" "$package"
    n=$((n + 1))
  done
}

# emulated SECONDS COMMAND...: runs the command beside an emulator, which gets the
# options in $switches.
switches=()
emulated() {
  local seconds=$1
  shift
  timeout --kill-after=10 "$seconds" "$b2form" emulator "${switches[@]}" -- "$@"
}

# passes LEAST EXPECTED LOG: says what the tests in the output of go test -v did.
# It wants so many that pass at the top and no failure but the expected, which
# docs/clients.md tells the reasons of.
passes() {
  local least=$1 expected=$2 log=$3 passed unexpected
  passed=$(grep -c '^ *--- PASS' "$log" || true)
  unexpected=$(sed -n 's/^ *--- FAIL: \([^ ]*\).*/\1/p' "$log" | grep -vxE "${expected:-none}" || true)
  echo "$judge: $passed pass," "$(grep -c '^ *--- SKIP' "$log" || true) are skipped," "$(grep -c '^ *--- FAIL' "$log" || true) fail"
  if [ -n "$unexpected" ] || [ "$passed" -lt "$least" ] || grep -qE '^panic: |^# |build failed' "$log"; then
    grep -vE '^ *(=== |--- PASS|--- SKIP)' "$log" | tail -n 300
    echo "$judge: FAIL: ${unexpected:-too few tests passed, $least are wanted}"
    return 1
  fi
}
