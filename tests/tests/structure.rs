//! The repository against its own rules: what uses what, what is pure, what never happens.
//! Every rule is also held against a planted breach, so that none of them passes by not looking.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "structure/rules.rs"]
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rules::{File, Package, Packages};
use serde_json::Value;

/// DESIGN.md's column "may use". The app may also name the types that client and relay hand it.
const MAY_USE: [(&str, &[&str]); 6] = [
    ("visita-protocol", &[]),
    ("visita-media", &["visita-protocol"]),
    ("visita-client", &["visita-protocol", "visita-media"]),
    ("visita-relay", &["visita-protocol"]),
    (
        "visita",
        &[
            "visita-client",
            "visita-relay",
            "visita-media",
            "visita-protocol",
        ],
    ),
    (
        "visita-tests",
        &[
            "visita-protocol",
            "visita-media",
            "visita-client",
            "visita-relay",
        ],
    ),
];

/// The only files that write to disk: none of them is near media.
const MAY_WRITE: [&str; 3] = [
    // Pins of hosts that this device knows.
    "client/src/trust/pins.rs",
    // The ward's CA and certificate.
    "relay/src/files.rs",
    // Whether this device hosts, the ward's name, the port.
    "src-tauri/src/hosting/kept.rs",
];

/// The only modules with `unsafe` in them.
const UNSAFE: [&str; 5] = [
    // openh264's own structures, for what its safe wrapper doesn't reach.
    "media/src/h264/native.rs",
    // libvpx, which has no safe wrapper that is kept.
    "media/src/vp8/native.rs",
    // A variable of the environment, by which alone WebKitGTK takes orders.
    "src-tauri/src/painting.rs",
    // Whether the desktop's library for trays is there.
    "src-tauri/src/desktop/tray.rs",
    // A test's allocator that counts.
    "media/tests/sound_callbacks.rs",
];

/// What a program for a small box must not need.
const WINDOWS: [&str; 6] = ["tauri", "wry", "tao", "gtk", "gdk", "webkit2gtk"];

/// What talks to a network. (mio doesn't by itself: PulseAudio's client waits for its socket, which
/// is a file, with it. Nothing of media may name it.)
const NETWORK: [&str; 7] = [
    "tokio",
    "axum",
    "hyper",
    "rustls",
    "tungstenite",
    "mdns-sd",
    "reqwest",
];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ has a parent")
        .to_owned()
}

/// Every text file of ours.
fn files() -> Vec<File> {
    const SKIPPED: [&str; 6] = ["target", "node_modules", ".git", ".run", "gen", "vendor"];
    let (top, mut files, mut folders) = (top(), Vec::new(), vec![top()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !SKIPPED.iter().any(|name| entry.file_name() == *name) {
                folders.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let path = path
                    .strip_prefix(&top)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                if let Ok(text) = fs::read_to_string(entry.path()) {
                    files.push(File { path, text });
                }
            }
        }
    }
    assert!(
        files
            .iter()
            .any(|file| file.path == "protocol/src/frame.rs"),
        "looked in {}",
        top.display()
    );
    files
}

/// Every text file of ours but these tests, whose planted breaches would be found.
fn sources() -> Vec<File> {
    let mut files = files();
    files.retain(|file| !file.path.starts_with("tests/tests/structure"));
    files
}

/// Our packages as cargo resolves them, for all systems at once.
fn packages() -> Packages {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(top())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    read_metadata(&serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON"))
}

fn read_metadata(metadata: &Value) -> Packages {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .iter()
        .map(|p| (text(&p["id"]), text(&p["name"])))
        .collect();
    // What each package asks for, for its build (true) and for its tests alone (false).
    let mut uses: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let asked = list(&node["deps"]).into_iter().map(|dep| {
            let build = list(&dep["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"] != "dev");
            (text(&dep["pkg"]), build)
        });
        uses.insert(text(&node["id"]), asked.collect());
    }
    let mut packages = Packages::new();
    for id in list(&metadata["workspace_members"]).iter().map(text) {
        let mut package = Package::default();
        for (used, build) in &uses[&id] {
            let kind = if *build {
                &mut package.direct
            } else {
                &mut package.development
            };
            kind.insert(names[used].clone());
        }
        let (mut seen, mut open) = (BTreeSet::new(), vec![id.clone()]);
        while let Some(next) = open.pop() {
            for (used, _) in uses[&next].iter().filter(|(_, build)| *build) {
                if seen.insert(used.clone()) {
                    package.all.insert(names[used].clone());
                    open.push(used.clone());
                }
            }
        }
        packages.insert(names[&id].clone(), package);
    }
    packages
}

#[track_caller]
fn holds(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[track_caller]
fn breaks(found: Vec<String>, times: usize) {
    assert_eq!(found.len(), times, "{found:?}");
}

fn planted(name: &str, direct: &[&str], development: &[&str], all: &[&str]) -> Packages {
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let package = Package {
        direct: set(direct),
        development: set(development),
        all: set(all),
    };
    let others = MAY_USE
        .iter()
        .map(|(name, _)| ((*name).to_owned(), Package::default()));
    others.chain([(name.to_owned(), package)]).collect()
}

#[test]
fn no_crate_uses_another_against_the_design() {
    let packages = packages();
    assert_eq!(packages.len(), MAY_USE.len(), "{:?}", packages.keys());
    holds(rules::crossings(&packages, &MAY_USE));

    breaks(
        rules::crossings(
            &planted("visita-media", &["visita-relay"], &[], &[]),
            &MAY_USE,
        ),
        1,
    );
    breaks(
        rules::crossings(
            &planted("visita-relay", &[], &["visita-client"], &[]),
            &MAY_USE,
        ),
        1,
    );
    breaks(
        rules::crossings(&planted("visita-new", &[], &[], &[]), &MAY_USE),
        1,
    );
}

#[test]
fn protocol_is_pure() {
    // The last four seal frames: computing alone.
    const ALLOWED: [&str; 10] = [
        "bytes",
        "serde",
        "serde_json",
        "thiserror",
        "ts-rs",
        "zstd",
        "aes-gcm",
        "hkdf",
        "sha2",
        "zeroize",
    ];
    holds(rules::unlisted(&packages(), "visita-protocol", &ALLOWED));
    holds(rules::impure_protocol(&sources()));

    let planted = planted("visita-protocol", &["bytes", "tokio"], &["proptest"], &[]);
    breaks(rules::unlisted(&planted, "visita-protocol", &ALLOWED), 1);
    let clock = "fn late() {\n    let now = std::time::Instant::now();\n}\n#[cfg(test)]\nInstant";
    breaks(
        rules::impure_protocol(&[File::new("protocol/src/room.rs", clock)]),
        1,
    );
}

#[test]
fn media_has_no_network_and_the_programs_no_window() {
    let packages = packages();
    holds(rules::reaches(&packages, "visita-media", &NETWORK));
    assert!(!packages["visita-media"].direct.contains("mio"));
    holds(rules::reaches(&packages, "visita-media", &WINDOWS));
    holds(rules::reaches(&packages, "visita-client", &WINDOWS));
    holds(rules::reaches(&packages, "visita-relay", &WINDOWS));
    holds(rules::reaches(
        &packages,
        "visita-relay",
        &["openh264", "turbojpeg", "nokhwa"],
    ));
    breaks(rules::reaches(&packages, "visita", &["tauri"]), 1);
    breaks(rules::reaches(&packages, "visita-client", &["tokio"]), 1);
}

#[test]
fn the_sound_devices_threads_wait_for_nobody() {
    const CALLBACKS: &str = "media/src/sound/device/callback.rs";
    let files = sources();
    assert!(files.iter().any(|file| file.path == CALLBACKS));
    holds(rules::waiting_callbacks(&files, CALLBACKS));

    let waits = "use std::sync::Mutex;\nfn callback() { let state = state.lock(); }";
    breaks(
        rules::waiting_callbacks(&[File::new(CALLBACKS, waits)], CALLBACKS),
        2,
    );
}

#[test]
fn no_file_has_two_jobs() {
    holds(rules::long_files(&files()));

    let long = "line\n".repeat(rules::MAX_LINES + 1);
    breaks(
        rules::long_files(&[
            File::new("ui/call.js", &long),
            File::new("relay/src/a.rs", &long),
        ]),
        2,
    );
    let generated = format!("// This file was generated by a script.\n{long}");
    breaks(
        rules::long_files(&[File::new("ui/protocol/types.ts", &generated)]),
        0,
    );
}

#[test]
fn nothing_records() {
    holds(rules::recording(&sources(), &MAY_WRITE));
    for named in MAY_WRITE {
        assert!(
            files().iter().any(|file| file.path == named),
            "{named} is gone: take it off the list"
        );
        assert!(!named.starts_with("media/"), "media writes nothing");
    }

    let writes = File::new(
        "media/src/h264.rs",
        "let out = std::fs::File::create(path)?;",
    );
    let records = File::new("ui/call.js", "const recorder = new MediaRecorder(stream)");
    breaks(rules::recording(&[writes, records], &[]), 2);
}

#[test]
fn names_reach_no_log() {
    holds(rules::logged_names(&sources()));

    let logged = "info!(\n    member = %id,\n    \"{} came\",\n    name.reveal(),\n);";
    let shown = "impl fmt::Display for PersonName {";
    let fine = "info!(%id, \"came\");\nshow(name.reveal());";
    breaks(
        rules::logged_names(&[File::new("relay/src/a.rs", logged)]),
        1,
    );
    breaks(
        rules::logged_names(&[File::new("client/src/a.rs", shown)]),
        1,
    );
    breaks(
        rules::logged_names(&[File::new("client/src/b.rs", fine)]),
        0,
    );
}

#[test]
fn the_page_needs_nothing_from_outside() {
    holds(rules::outside_urls(&sources()));

    let font = File::new(
        "ui/style.css",
        "@import url(https://fonts.example.com/a.css);",
    );
    let short = File::new(
        "ui/index.html",
        "<style>a { background: url(//cdn.example.com/a) }</style>",
    );
    let fine = File::new(
        "ui/qr.js",
        "const svg = 'http://www.w3.org/2000/svg', at = `wss://${host}`",
    );
    breaks(rules::outside_urls(&[font, short, fine]), 2);
}

#[test]
fn only_platform_knows_what_the_page_runs_in() {
    holds(rules::platform_leaks(&sources()));

    let leak = "const { invoke } = window.__TAURI__.core";
    breaks(
        rules::platform_leaks(&[File::new("ui/call/stage.js", leak)]),
        1,
    );
    breaks(
        rules::platform_leaks(&[File::new("ui/platform/tauri.js", leak)]),
        0,
    );
}

#[test]
fn the_calls_state_and_the_wire_never_touch_the_document() {
    holds(rules::impure_page(&sources()));

    let draws = "document.title = name";
    breaks(
        rules::impure_page(&[File::new("ui/call/state.js", draws)]),
        1,
    );
    breaks(
        rules::impure_page(&[File::new("ui/views/call.js", draws)]),
        0,
    );
}

#[test]
fn unsafe_code_and_lints_are_where_they_are_said_to_be() {
    let files = sources();
    holds(rules::unsafe_modules(&files, &UNSAFE));
    // Packages of their own, which no product is built of.
    let outside = |path: &str| ["benches/", "fuzz/"].iter().any(|at| path.starts_with(at));
    let (manifests, _): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.path.ends_with("Cargo.toml") && !outside(&file.path));
    assert_eq!(manifests.len(), MAY_USE.len());
    holds(rules::own_lints(&manifests));

    breaks(
        rules::unsafe_modules(&[File::new("relay/src/a.rs", "unsafe { f() }")], &[]),
        1,
    );
    breaks(
        rules::own_lints(&[File::new("new/Cargo.toml", "[package]")]),
        1,
    );
}

#[test]
#[cfg(unix)]
fn ci_runs_what_developers_run() {
    use std::os::unix::fs::PermissionsExt as _;
    for script in [".ci/run", "scripts/run", "scripts/test", "scripts/bench"] {
        let mode = fs::metadata(top().join(script))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0o111, "{script} can't be executed");
    }
    let ci = fs::read_to_string(top().join(".ci/run")).unwrap();
    let commands = ci
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    assert_eq!(
        commands.collect::<Vec<_>>().last().copied(),
        Some("exec scripts/test")
    );
}
