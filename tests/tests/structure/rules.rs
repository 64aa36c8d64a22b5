//! The rules, as functions of what stands in the repository. Each returns what breaks it, one
//! line a finding, so that the tests can hold it against the repository and against a planted
//! breach.

use std::collections::{BTreeMap, BTreeSet};

/// A file of the repository: its path with forward slashes, and its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    fn has_suffix(&self, suffixes: &[&str]) -> bool {
        suffixes.iter().any(|suffix| self.path.ends_with(suffix))
    }

    /// Rust without its unit tests (which stand last in a file) and without comments' lines.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
            .filter(|(_, line)| {
                let line = line.trim_start();
                !["//", "/*", "* ", "*/", "<!--"]
                    .iter()
                    .any(|mark| line.starts_with(mark))
            })
    }
}

/// The longest a file may be, in lines (STYLE: at 600 it has two jobs).
pub(crate) const MAX_LINES: usize = 600;

/// No file has more than [`MAX_LINES`] lines, but for generated ones, which say so at their top.
pub(crate) fn long_files(files: &[File]) -> Vec<String> {
    const SUFFIXES: [&str; 9] = [
        ".rs", ".js", ".mjs", ".cjs", ".ts", ".css", ".html", ".py", ".sh",
    ];
    files
        .iter()
        .filter(|file| file.has_suffix(&SUFFIXES) || file.is_under(&["scripts/"]))
        .filter(|file| {
            !file
                .text
                .lines()
                .take(5)
                .any(|line| line.contains("generated"))
        })
        .filter_map(|file| {
            let lines = file.text.lines().count();
            (lines > MAX_LINES).then(|| format!("{}: {lines} lines", file.path))
        })
        .collect()
}

/// Lines of non-test Rust or JavaScript that hold one of `words`, in files that `concerns`.
fn lines_with(files: &[File], words: &[&str], concerns: impl Fn(&File) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| concerns(file)) {
        for (number, line) in file.code() {
            if let Some(word) = words.iter().find(|word| line.contains(*word)) {
                found.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    found
}

/// `protocol/` reads no clock, opens nothing, starts nothing, prints nothing.
pub(crate) fn impure_protocol(files: &[File]) -> Vec<String> {
    const WORDS: [&str; 16] = [
        "Instant",
        "SystemTime",
        "std::fs",
        "std::net",
        "std::thread",
        "std::process",
        "std::env",
        "std::io",
        "tokio",
        "async fn",
        "println!",
        "eprintln!",
        "rand::",
        "tracing",
        "Mutex",
        "static mut",
    ];
    lines_with(files, &WORDS, |file| file.path.starts_with("protocol/src/"))
}

/// Nothing records: media writes no file at all, and elsewhere only the files named here write,
/// each for something that isn't media. The page has no recorder.
pub(crate) fn recording(files: &[File], may_write: &[&str]) -> Vec<String> {
    const WORDS: [&str; 7] = [
        "File::create",
        "fs::write",
        "OpenOptions",
        "File::options",
        "create_new",
        "fs::copy",
        "tempfile",
    ];
    const PAGE: [&str; 4] = [
        "MediaRecorder",
        "showSaveFilePicker",
        "createWritable",
        "indexedDB",
    ];
    let mut found = lines_with(files, &WORDS, |file| {
        let tests = file.has_suffix(&["/tests.rs"]) || file.path.contains("/tests/");
        let program = file.is_under(&["media/src/", "client/src/", "relay/src/", "src-tauri/src/"]);
        program && !tests && !may_write.contains(&file.path.as_str())
    });
    found.extend(lines_with(files, &PAGE, |file| {
        file.path.starts_with("ui/")
    }));
    found
}

/// What a person is called is never handed to a log or to stderr, and its types can't be printed.
pub(crate) fn logged_names(files: &[File]) -> Vec<String> {
    const MACROS: [&str; 9] = [
        "trace!(",
        "debug!(",
        "info!(",
        "warn!(",
        "error!(",
        "event!(",
        "span!(",
        "eprintln!(",
        "eprint!(",
    ];
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.has_suffix(&[".rs"])) {
        for name in MACROS {
            for (at, _) in file.text.match_indices(name) {
                let before = file.text[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                if call(&file.text[at + name.len() - 1..]).contains("reveal()") {
                    let line = file.text[..at].lines().count();
                    found.push(format!("{}:{line}: a name in {name}…)", file.path));
                }
            }
        }
        for kind in ["PersonName", "RoomName", "ChatText"] {
            if file.text.contains(&format!("Display for {kind}")) {
                found.push(format!("{}: {kind} can be printed", file.path));
            }
        }
        if file.path == "protocol/src/name.rs" && file.text.contains("Display for") {
            found.push(format!("{}: a name's type can be printed", file.path));
        }
    }
    found
}

/// From an opening parenthesis to the one that closes it.
fn call(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// The page loads and calls nothing outside the host: no URL with a host name in it, but for
/// XML's namespaces.
pub(crate) fn outside_urls(files: &[File]) -> Vec<String> {
    const SCHEMES: [&str; 5] = ["http://", "https://", "ws://", "wss://", "url(//"];
    let mut found = Vec::new();
    for file in files {
        let page = file.path.starts_with("ui/")
            && file.has_suffix(&[
                ".html",
                ".css",
                ".js",
                ".svg",
                ".json",
                ".webmanifest",
                ".ftl",
            ]);
        if !page {
            continue;
        }
        for (number, line) in file.code() {
            for (at, scheme) in SCHEMES.iter().flat_map(|scheme| line.match_indices(scheme)) {
                let rest = &line[at + scheme.len()..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
                let host = &rest[..end.unwrap_or(rest.len())];
                let harmless = !host.trim_matches('.').contains('.')
                    || host.parse::<std::net::Ipv4Addr>().is_ok()
                    // RFC 6762's and RFC 2606's: neither is anywhere outside.
                    || matches!(host.rsplit('.').next(), Some("local" | "invalid"))
                    || host == "www.w3.org"
                    || host == "schema.tauri.app";
                if !harmless {
                    found.push(format!("{}:{number}: {scheme}{host}", file.path));
                }
            }
        }
    }
    found
}

/// Only `ui/platform/` knows what it runs in, and `ui/main.js`, which chooses the platform.
pub(crate) fn platform_leaks(files: &[File]) -> Vec<String> {
    const WORDS: [&str; 3] = ["__TAURI", "ipc.localhost", "tauri://"];
    lines_with(files, &WORDS, |file| {
        file.has_suffix(&[".js", ".html"])
            && file.path.starts_with("ui/")
            && !file.path.starts_with("ui/platform/")
            && file.path != "ui/main.js"
    })
}

/// The call's state and the wire format are pure: they run in Node as they are.
pub(crate) fn impure_page(files: &[File]) -> Vec<String> {
    const WORDS: [&str; 9] = [
        "document.",
        "window.",
        "navigator.",
        "localStorage",
        "fetch(",
        "WebSocket(",
        "setTimeout(",
        "Date.now",
        "performance.now",
    ];
    lines_with(files, &WORDS, |file| {
        file.has_suffix(&[".js"]) && file.is_under(&["ui/call/", "ui/protocol/"])
    })
}

/// `unsafe` stands only in the modules named, each with its reason in it.
pub(crate) fn unsafe_modules(files: &[File], named: &[&str]) -> Vec<String> {
    lines_with(
        files,
        &["allow(unsafe_code)", "unsafe {", "unsafe impl", "unsafe fn"],
        |file| file.has_suffix(&[".rs"]) && !named.contains(&file.path.as_str()),
    )
}

/// The sound devices' callbacks name nothing that waits, logs or allocates by its very name.
pub(crate) fn waiting_callbacks(files: &[File], callbacks: &str) -> Vec<String> {
    const WORDS: [&str; 16] = [
        "Mutex",
        "RwLock",
        "Condvar",
        "Once",
        "Lazy",
        "lock()",
        "mpsc",
        "thread::park",
        "sleep",
        "tracing",
        "println!",
        "Box::",
        "Vec",
        "String",
        "format!",
        "collect()",
    ];
    lines_with(files, &WORDS, |file| file.path == callbacks)
}

/// A manifest takes the workspace's lints.
pub(crate) fn own_lints(manifests: &[File]) -> Vec<String> {
    manifests
        .iter()
        .filter(|file| !file.text.contains("[lints]\nworkspace = true"))
        .map(|file| format!("{}: doesn't take the workspace's lints", file.path))
        .collect()
}

/// Which packages a package asks for, by kind; `all` holds every package that its build reaches.
#[derive(Default)]
pub(crate) struct Package {
    pub(crate) direct: BTreeSet<String>,
    pub(crate) development: BTreeSet<String>,
    pub(crate) all: BTreeSet<String>,
}

/// Our own packages by name.
pub(crate) type Packages = BTreeMap<String, Package>;

/// No package of ours uses another of ours unless `may_use` lists it, tests' uses included.
pub(crate) fn crossings(packages: &Packages, may_use: &[(&str, &[&str])]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, package) in packages {
        let Some((_, allowed)) = may_use.iter().find(|(of, _)| of == name) else {
            found.push(format!(
                "{name}: has no line in the table of what may use what"
            ));
            continue;
        };
        for used in package.direct.union(&package.development) {
            if packages.contains_key(used) && !allowed.contains(&used.as_str()) {
                found.push(format!("{name} uses {used}"));
            }
        }
    }
    found
}

/// `name`'s build reaches none of `banned`, however far down.
pub(crate) fn reaches(packages: &Packages, name: &str, banned: &[&str]) -> Vec<String> {
    let Some(package) = packages.get(name) else {
        return vec![format!("there is no package {name}")];
    };
    let banned = package
        .all
        .iter()
        .filter(|used| banned.contains(&used.as_str()));
    banned
        .map(|used| format!("{name} reaches {used}"))
        .collect()
}

/// `name` asks for nothing from outside but `allowed`.
pub(crate) fn unlisted(packages: &Packages, name: &str, allowed: &[&str]) -> Vec<String> {
    let Some(package) = packages.get(name) else {
        return vec![format!("there is no package {name}")];
    };
    let others = package
        .direct
        .iter()
        .filter(|used| !allowed.contains(&used.as_str()));
    others.map(|used| format!("{name} uses {used}")).collect()
}
