# Sourced by the scripts: where things are, how they speak, how a step is run and timed.
# shellcheck shell=bash

set -euo pipefail

VISITA_TOP="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# All that the scripts make lies here (git-ignored), but for cargo's target folder.
VISITA_RUN="$VISITA_TOP/.run"
mkdir -p "$VISITA_RUN"
cd "$VISITA_TOP"

# Rust as rustup installs it, whether or not the login shell knows of it yet.
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"

# What a script says of itself, apart from what its steps print.
say() { printf '\n[%s] %s\n' "$(basename "$0")" "$*"; }
fail() {
    printf '\n[%s] FAILED: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Where cargo puts what it builds.
target_dir() { printf '%s' "${CARGO_TARGET_DIR:-$VISITA_TOP/target}"; }

VISITA_STEP_TIMES=()
VISITA_STEP_LOGS="$VISITA_RUN/steps"

# step NAME COMMAND…: runs the command, keeps what it prints in .run/steps/NAME.log, and ends the
# script with one clear line if it fails.
step() {
    local name="$1" began=$SECONDS status=0
    shift
    mkdir -p "$VISITA_STEP_LOGS"
    say "$name: $*"
    "$@" 2>&1 </dev/null | tee "$VISITA_STEP_LOGS/$name.log" || status=$?
    VISITA_STEP_TIMES+=("$(printf '%6d s  %s' $((SECONDS - began)) "$name")")
    if ((status != 0)); then
        step_times
        fail "$name (exit status $status). Alone it is: $*"
    fi
}

step_times() {
    say "how long each step took"
    printf '%s\n' "${VISITA_STEP_TIMES[@]}"
}

# What the steps' test runners counted, cargo's and node's, as one line that any reader knows.
step_totals() {
    cat "$VISITA_STEP_LOGS"/*.log | awk '
        /^test result: / { passed += $4; failed += $6; skipped += $8 }
        /^(#|ℹ) pass /    { passed += $3 }
        /^(#|ℹ) fail /    { failed += $3 }
        /^(#|ℹ) (skipped|todo) / { skipped += $3 }
        END { printf "tests: %d passed, %d failed, %d skipped\n", passed, failed, skipped }'
}

# Some tests and benches make networks of their own (network namespaces), which root may. In a user namespace
# everybody is root; where the system allows none they fail, unless VISITA_ALLOW_SKIP=1.
as_root() {
    if (($(id -u) != 0)) && unshare -Urnm true 2>/dev/null; then
        unshare -Urnm sh -c 'mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"' sh "$@"
    else
        "$@"
    fi
}
