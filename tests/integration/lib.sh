# What all scripts here share. Sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case=$root/tests/cases/issue-924

binary() {
    local binary=${MOE_LINT:-$root/target/debug/moe-lint}
    [ -x "$binary" ] || (cd "$root" && cargo build --quiet)
    echo "$binary"
}

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
expect() { # expect CODE COMMAND...: runs it, wants that exit code
    local want=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" -eq "$want" ] || fail "exit code $got instead of $want: $*"
}
