//! Embeds the page's files: each as it is, as zstd and as gzip, with its ETag and its type.
//! Made at build time, so that a request costs no compression.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let ui = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../ui");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", ui.display());
    let mut files = Vec::new();
    collect(&ui, "", &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for (number, path) in files.iter().enumerate() {
        let source = fs::canonicalize(ui.join(path))?;
        println!("cargo:rerun-if-changed={}", source.display());
        let plain = fs::read(&source)?;
        let mut variants = String::new();
        for (name, packed) in [("zstd", zstd(&plain)?), ("gzip", gzip(&plain)?)] {
            // A variant that saves under a tenth isn't worth the work of unpacking it.
            if packed.len() * 10 < plain.len() * 9 {
                let file = out.join(format!("asset-{number}.{name}"));
                fs::write(&file, packed)?;
                write!(
                    variants,
                    "{name}: Some(include_bytes!({:?})), ",
                    file.display().to_string()
                )?;
            } else {
                write!(variants, "{name}: None, ")?;
            }
        }
        let etag = etag(&plain);
        writeln!(
            table,
            "    Embedded {{ path: {path:?}, etag: \"\\\"{etag}\\\"\", plain: include_bytes!({:?}), {variants}}},",
            source.display().to_string(),
        )?;
    }
    table.push_str("]\n");
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

/// All files under `root/prefix` that a page may ask for, as paths with `/`.
fn collect(root: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(root.join(prefix))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}/{name}")
        };
        if !served(&name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            // A new file in a folder must be noticed.
            println!("cargo:rerun-if-changed={}", root.join(&path).display());
            collect(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether a file or folder of this name is for pages.
fn served(name: &str) -> bool {
    let tool = [
        "package.json",
        "package-lock.json",
        "jsconfig.json",
        "tsconfig.json",
        "node_modules",
        "generated",
    ];
    !(name.starts_with('.')
        || name.starts_with("gallery")
        || name.starts_with("eslint")
        || [".d.ts", ".md", ".map"]
            .iter()
            .any(|end| name.ends_with(end))
        || tool.contains(&name))
}

/// Says which bytes these are: a change that it misses would need a collision of 64 bits.
fn etag(plain: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    plain.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn zstd(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    zstd::bulk::compress(plain, 19)
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}
