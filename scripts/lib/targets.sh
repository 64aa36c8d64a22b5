# Sourced by check-targets and package, after common.sh and install.sh: compilers for systems that
# aren't this one, and wine to run what is made for Windows.
# shellcheck shell=bash

# Outside the tree: no page's watcher or structure test should walk it.
VISITA_TARGETS="${VISITA_TARGETS:-/var/tmp/visita-targets}"
VISITA_WINDOWS=x86_64-pc-windows-gnu
VISITA_MACOS=aarch64-apple-darwin
VISITA_ANDROID=aarch64-linux-android

# cargo for another system. Its standard library can't be installed everywhere, but it can be
# compiled: Debian's rustc-web and rust-web-src are one version of compiler and library. What is
# checked here is what the code does, not how fast: of what it depends on only the codecs and the
# pixels' conversion are optimised, or a call couldn't keep up.
other_cargo() {
    local command="$1" crate codecs=()
    shift
    for crate in openh264-sys2 turbojpeg-sys yuv zstd-sys; do
        codecs+=(--config "profile.dev.package.$crate.opt-level=2")
    done
    env RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0 \
        CARGO_HOME="$VISITA_TARGETS/cargo" CARGO_TARGET_DIR="$VISITA_TARGETS/target" \
        nice -n 19 /usr/bin/cargo "$command" --locked -Zbuild-std=std,panic_unwind,test \
        --config 'profile.dev.package."*".opt-level=0' --config 'profile.dev.debug=false' \
        "${codecs[@]}" ${VISITA_JOBS:+-j "$VISITA_JOBS"} "$@"
}

install_other_rust() {
    install_packages "${VISITA_BUILD_PACKAGES[@]}" rustc-web cargo-web rust-web-src
    mkdir -p "$VISITA_TARGETS/bin" "$VISITA_TARGETS/cargo"
    if [[ -e "$HOME/.cargo/config.toml" ]]; then
        cp "$HOME/.cargo/config.toml" "$VISITA_TARGETS/cargo/"
    fi
}

# The linker for Windows. C++ and its threads are linked in, so that the programs need no DLL but
# the system's own. nokhwa makes a DLL that nobody uses; without being told, mingw would export all
# that is in it, which is more than a DLL can.
install_windows_tools() {
    install_other_rust
    install_packages gcc-mingw-w64-x86-64-posix g++-mingw-w64-x86-64-posix
    local static="$VISITA_TARGETS/windows-static" linker="$VISITA_TARGETS/bin/windows-gcc" library file
    mkdir -p "$static"
    for library in libstdc++.a libssp.a libwinpthread.a libpthread.a; do
        file="$(x86_64-w64-mingw32-gcc-posix -print-file-name="$library")"
        [[ -e $file ]] || fail "mingw has no $library"
        ln -sf "$(realpath "$file")" "$static/$library"
    done
    cat >"$linker" <<LINKER
#!/bin/sh
exec x86_64-w64-mingw32-gcc-posix -L$static -Wl,--exclude-all-symbols "\$@" -ladvapi32 -lmsvcrt -lkernel32
LINKER
    chmod +x "$linker"
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER="$linker"
    export CC_x86_64_pc_windows_gnu=x86_64-w64-mingw32-gcc-posix
    export CXX_x86_64_pc_windows_gnu=x86_64-w64-mingw32-g++-posix
    export AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
}

# wine with a prefix of its own. Debian's lacks bcryptprimitives.dll, without which every Rust
# program ends silently: the one function that Rust takes of it, by another way to the same
# random numbers, for tests only.
install_wine() {
    install_packages wine wine64 gcc-mingw-w64-x86-64-posix
    export WINEARCH=win64 WINEDEBUG=-all WINEPREFIX="$VISITA_TARGETS/wine"
    export WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe=d"
    local system="$WINEPREFIX/drive_c/windows/system32"
    if [[ ! -e $system/kernel32.dll ]]; then
        say "making a Windows of wine's"
        rm -rf "$WINEPREFIX"
        wine wineboot --init >/dev/null 2>&1 || fail "wineboot"
        wineserver -w
    fi
    if [[ ! -e $system/bcryptprimitives.dll ]]; then
        cat >"$VISITA_TARGETS/bcryptprimitives.c" <<'SHIM'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return SystemFunction036(data, (ULONG)length);
}
SHIM
        x86_64-w64-mingw32-gcc-posix -shared -O1 -o "$system/bcryptprimitives.dll" \
            "$VISITA_TARGETS/bcryptprimitives.c" -ladvapi32
    fi
}

# Ends all that runs in the prefix, and waits for it.
end_wine() {
    wineserver -k >/dev/null 2>&1 || true
    wineserver -w >/dev/null 2>&1 || true
}

# A namespace with nothing but the loopback address, so that no multicast leaves this machine.
# wine's server opens the sockets of all its programs, so each namespace gets its own.
alone() {
    local mapped=() status=0
    ((EUID == 0)) || mapped=(--map-root-user)
    end_wine
    unshare --net "${mapped[@]}" sh -c 'ip link set lo up && exec "$@"' alone "$@" || status=$?
    end_wine
    return $status
}

# C compilers for macOS and Android: zig's clang has both systems' headers (for Android, musl's
# stand in). It is told what cc's authors would tell the system's own clang, and mustn't listen.
install_zig() {
    local list="$VISITA_TOP/scripts/lib/ziglang.txt" venv="$VISITA_TARGETS/zig"
    install_packages python3-venv
    if ! cmp -s "$list" "$venv/installed.txt"; then
        say "installing zig's C compiler"
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q --no-deps --require-hashes -r "$list" || fail "pip install ziglang"
        cp "$list" "$venv/installed.txt"
    fi
    VISITA_ZIG="$(echo "$venv"/lib/python3*/site-packages/ziglang/zig)"
}

# zig_tools NAME ZIG-TARGET RUST-TARGET: wrappers, and the variables by which cargo's build
# scripts find them.
zig_tools() {
    local name="$1" zig_target="$2" rust="${3//-/_}" tool
    for tool in cc c++; do
        cat >"$VISITA_TARGETS/bin/$name-$tool" <<WRAPPER
#!/bin/bash
kept=()
while ((\$# > 0)); do
    case \$1 in
        --target=* | -mmacosx-version-min=* | -miphoneos-version-min=*) ;;
        -arch | -isysroot | -target) shift ;;
        *) kept+=("\$1") ;;
    esac
    shift
done
exec "$VISITA_ZIG" $tool -target $zig_target "\${kept[@]}"
WRAPPER
    done
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$VISITA_ZIG" >"$VISITA_TARGETS/bin/$name-ar"
    printf '#!/bin/sh\nexec "%s" ranlib "$@"\n' "$VISITA_ZIG" >"$VISITA_TARGETS/bin/$name-ranlib"
    chmod +x "$VISITA_TARGETS/bin/$name-"*
    # cmake believes nothing that it can't run or look up; a target of the plainest kind is enough.
    cat >"$VISITA_TARGETS/$name.cmake" <<CMAKE
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_COMPILER $VISITA_TARGETS/bin/$name-cc)
set(CMAKE_CXX_COMPILER $VISITA_TARGETS/bin/$name-c++)
set(CMAKE_AR $VISITA_TARGETS/bin/$name-ar)
set(CMAKE_RANLIB $VISITA_TARGETS/bin/$name-ranlib)
CMAKE
    export "CC_$rust=$VISITA_TARGETS/bin/$name-cc" "CXX_$rust=$VISITA_TARGETS/bin/$name-c++"
    export "AR_$rust=$VISITA_TARGETS/bin/$name-ar" "RANLIB_$rust=$VISITA_TARGETS/bin/$name-ranlib"
    export "CMAKE_TOOLCHAIN_FILE_$rust=$VISITA_TARGETS/$name.cmake"
    export ZIG_GLOBAL_CACHE_DIR="$VISITA_TARGETS/zig-cache" ZIG_LOCAL_CACHE_DIR="$VISITA_TARGETS/zig-cache"
}

# write_part NAME FILE: puts the file's text between the marks NAME of docs/SYSTEMS.md.
write_part() {
    local page="$VISITA_TOP/docs/SYSTEMS.md" fresh
    grep -q "^<!-- $1 -->$" "$page" || fail "docs/SYSTEMS.md has no mark $1"
    fresh="$(mktemp)"
    awk -v name="$1" -v part="$2" '
        $0 == "<!-- /" name " -->" { inside = 0 }
        !inside { print }
        $0 == "<!-- " name " -->" {
            inside = 1
            print ""
            while ((getline line < part) > 0) print line
            print ""
        }' "$page" >"$fresh"
    cat "$fresh" >"$page"
    rm -f "$fresh"
}

# What a part says first: when, of which commit, with which tools.
part_head() {
    printf 'Run on %s, commit %s%s' "$(date -u '+%Y-%m-%d %H:%M UTC')" \
        "$(git rev-parse --short HEAD)" \
        "$(git diff --quiet HEAD -- '*.rs' '*.toml' '*.js' '*.json' || printf ' and changes not committed')"
    printf ', Debian %s' "$(cat /etc/debian_version)"
    local tool
    for tool in "$@"; do printf ', %s' "$tool"; done
    printf '.\n\n'
}
