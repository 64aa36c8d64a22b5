//! The types that the page checks itself against are those of this crate.
//!
//! `VISITA_WRITE=1 cargo test -p visita-protocol --test typescript` writes `ui/generated` anew.

#![allow(clippy::unwrap_used, clippy::expect_used)] // also in what the tests are made of

use std::{collections::BTreeMap, env, fs, path::Path};

use ts_rs::{Config, TS};
use visita_protocol::{
    control::{ClientPacket, LobbyMessage, RelayPacket},
    id::{Fingerprint, WardId},
    trouble::Trouble,
    webrtc::{Answer, Offer},
};

/// A folder of this test's own, gone afterwards.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn the_committed_types_are_current() {
    let folder = Folder(env::temp_dir().join(format!("visita-types-{}", std::process::id())));
    let config = Config::new().with_out_dir(&folder.0);
    ClientPacket::export_all(&config).unwrap();
    RelayPacket::export_all(&config).unwrap();
    LobbyMessage::export_all(&config).unwrap();
    Fingerprint::export_all(&config).unwrap();
    WardId::export_all(&config).unwrap();
    Trouble::export_all(&config).unwrap();
    Offer::export_all(&config).unwrap();
    Answer::export_all(&config).unwrap();
    let mut now = files(&folder.0);
    let index = now.keys().map(|file| {
        let name = file.trim_end_matches(".ts");
        format!("export type {{ {name} }} from \"./{name}\";\n")
    });
    let index = format!(
        "// Every type of the wire; written by protocol/tests/typescript.rs.\n{}",
        index.collect::<String>()
    );
    now.insert("index.ts".to_owned(), index);

    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/generated");
    if env::var_os("VISITA_WRITE").is_some() {
        let _ = fs::remove_dir_all(&committed);
        fs::create_dir_all(&committed).unwrap();
        for (name, text) in &now {
            fs::write(committed.join(name), text).unwrap();
        }
    }
    let before = files(&committed);
    let stale: Vec<_> = now
        .keys()
        .chain(before.keys())
        .filter(|&name| now.get(name) != before.get(name))
        .collect();
    assert!(
        stale.is_empty(),
        "ui/generated isn't current ({stale:?}): VISITA_WRITE=1 cargo test -p visita-protocol --test typescript"
    );
}
