//! The page's files: embedded with their packed variants, or read from a folder while somebody
//! works on the page.

use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
    sync::LazyLock,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::answer::{Body, full};

/// A file as `build.rs` made it.
struct Embedded {
    path: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    zstd: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

const EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

static BY_PATH: LazyLock<HashMap<&'static str, &'static Embedded>> =
    LazyLock::new(|| EMBEDDED.iter().map(|file| (file.path, file)).collect());

/// Where the page's files are.
#[derive(Clone, Debug)]
pub(crate) enum Assets {
    /// In the program.
    Embedded,
    /// In this folder, read at each request.
    Folder(PathBuf),
}

impl Assets {
    /// Whether there is a file of this name.
    pub(crate) fn holds(&self, path: &str) -> bool {
        match self {
            Self::Embedded => BY_PATH.contains_key(path),
            Self::Folder(root) => plain(path) && root.join(path).is_file(),
        }
    }

    /// The answer for a file; `None` when there is none of that name. `path` has no leading slash.
    pub(crate) async fn get(&self, path: &str, request: &HeaderMap) -> Option<Response<Body>> {
        match self {
            Self::Embedded => embedded(path, request),
            Self::Folder(root) => from_folder(root, path).await,
        }
    }
}

fn embedded(path: &str, request: &HeaderMap) -> Option<Response<Body>> {
    let file = BY_PATH.get(path)?;
    let mut response = Response::new(full(Bytes::new()));
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static(file.etag));
    // Asked again each time, answered by 304: a host that was updated must not be met by an old page.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if known(request, file.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(response);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime(path)));
    let packed = [("zstd", file.zstd), ("gzip", file.gzip)]
        .into_iter()
        .find_map(|(name, bytes)| {
            bytes
                .filter(|_| accepts(request, name))
                .map(|bytes| (name, bytes))
        });
    let bytes = match packed {
        Some((name, bytes)) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            bytes
        }
        None => file.plain,
    };
    *response.body_mut() = full(Bytes::from_static(bytes));
    Some(response)
}

async fn from_folder(root: &Path, path: &str) -> Option<Response<Body>> {
    if !plain(path) {
        return None;
    }
    let bytes = tokio::fs::read(root.join(path)).await.ok()?;
    let mut response = Response::new(full(bytes.into()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(mime(path)));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

/// Whether a path stays in its folder and names nothing hidden.
fn plain(path: &str) -> bool {
    Path::new(path).components().all(|part| {
        matches!(part, Component::Normal(name) if name.to_str().is_some_and(|name| !name.starts_with('.')))
    })
}

fn known(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|list| {
            list.split(',')
                .map(str::trim)
                .any(|known| known == "*" || known.trim_start_matches("W/") == etag)
        })
}

/// Whether the browser takes this coding: named, and not with `q=0`.
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|list| {
            list.split(',').any(|item| {
                let mut parts = item.split(';').map(str::trim);
                let named = parts
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case(coding));
                let refused = parts
                    .filter_map(|part| part.strip_prefix("q="))
                    .any(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
                named && !refused
            })
        })
}

fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "ftl" | "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: http::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn codings_are_read_as_browsers_write_them() {
        let accepts =
            |list: &str, coding: &str| accepts(&asking(header::ACCEPT_ENCODING, list), coding);
        assert!(accepts("gzip, deflate, br, zstd", "zstd"));
        assert!(accepts("gzip;q=0.5", "gzip"));
        assert!(!accepts("gzip;q=0, br", "gzip"));
        assert!(!accepts("br", "zstd"));
        assert!(!super::accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let first = embedded("index.html", &HeaderMap::new()).unwrap();
        assert_eq!(
            first.headers()[header::CONTENT_TYPE],
            "text/html; charset=utf-8"
        );
        let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = embedded("index.html", &asking(header::IF_NONE_MATCH, &etag)).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let changed = embedded("index.html", &asking(header::IF_NONE_MATCH, "\"other\"")).unwrap();
        assert_eq!(changed.status(), StatusCode::OK);
        assert!(embedded("nothing.js", &HeaderMap::new()).is_none());
    }

    #[test]
    fn what_is_embedded_is_for_pages_only() {
        for file in EMBEDDED {
            assert!(
                !file.path.ends_with(".d.ts") && !file.path.contains("gallery"),
                "{}",
                file.path
            );
            assert_ne!(
                mime(file.path),
                "application/octet-stream",
                "{} has no type",
                file.path
            );
        }
    }

    #[tokio::test]
    async fn a_folder_gives_nothing_from_outside_itself() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("ui")).unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        std::fs::write(folder.path().join("ui/a.js"), "x").unwrap();
        std::fs::write(folder.path().join("ui/.hidden"), "x").unwrap();
        let assets = Assets::Folder(folder.path().join("ui"));
        assert!(assets.get("a.js", &HeaderMap::new()).await.is_some());
        for path in [
            "../secret",
            "x/../../secret",
            "/etc/passwd",
            ".hidden",
            "",
            ".",
        ] {
            assert!(
                assets.get(path, &HeaderMap::new()).await.is_none(),
                "{path}"
            );
        }
    }
}
