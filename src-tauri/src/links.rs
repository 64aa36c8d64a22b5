//! Links and QR codes that lead to a host. They come from the system (`visita://…`), from the
//! camera, and from nowhere else; the page is told what they say and asks the person.

use std::{sync::Arc, time::Duration};

use rqrr::PreparedImage;
use serde::Serialize;
use tauri::{AppHandle, Manager as _, Runtime, State, async_runtime::spawn, ipc::Channel};
use tauri_plugin_deep_link::DeepLinkExt as _;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
#[cfg(all(any(target_os = "linux", windows), not(debug_assertions)))]
use visita_client::link::SCHEME;
use visita_client::link::{Invitation, Link};
use visita_media::picture::Picture;
use visita_protocol::{control::RoomKind, id::RoomId};

use crate::{
    app::App,
    commands::Listeners,
    frames::{Board, SELF},
    hosts::{Directory, shown},
};

/// The least time between two looks for a code. A hand needs longer to hold still, and a look costs
/// up to 20 ms of a tablet's core.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// What a link or code says, as the page takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Opened {
    /// It leads to a host.
    Host {
        /// Where to connect to.
        url: String,
        /// The address without scheme.
        address: String,
        /// The ward's CA, if the link says so.
        #[serde(skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
        /// Whether the ward was trusted before.
        known: bool,
        /// What the ward calls itself, if that is known here.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The room that it invites to, if it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        invitation: Option<Invited>,
    },
    /// It leads to no host.
    Other,
}

/// Which room a link invites to, as the page takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Invited {
    /// What for.
    pub kind: RoomKind,
    /// Which.
    pub room: RoomId,
}

impl Opened {
    fn read(text: &str, directory: &Directory) -> Self {
        let Ok(link) = text.parse::<Link>() else {
            return Opened::Other;
        };
        let trusted = link.fingerprint.and_then(|ward| directory.trusted(ward));
        let found = link.fingerprint.and_then(|ward| directory.found(ward));
        let said = found.map(|found| found.name);
        Opened::Host {
            url: link.url.to_string(),
            address: link.url.authority(),
            fingerprint: link.fingerprint.map(shown),
            known: trusted.is_some(),
            name: trusted.flatten().or(said),
            invitation: link
                .invitation
                .map(|Invitation { kind, room }| Invited { kind, room }),
        }
    }
}

/// The link that the system opened the app with last, until the page takes it.
#[derive(Default)]
pub struct Links(watch::Sender<Option<String>>);

impl Links {
    /// The system opened a link with the app.
    pub fn open(&self, text: String) {
        self.0.send_replace(Some(text));
    }
}

/// Takes links from the system: the one that the app was started with, and those that come later.
pub fn listen<R: Runtime>(tauri: &AppHandle<R>) {
    // An installer did it, but who only unpacked the app has none.
    #[cfg(all(any(target_os = "linux", windows), not(debug_assertions)))]
    if !tauri.deep_link().is_registered(SCHEME).unwrap_or(true)
        && let Err(error) = tauri.deep_link().register(SCHEME)
    {
        tracing::info!(%error, "the system can't be told to open links with this app");
    }
    if let Ok(Some(urls)) = tauri.deep_link().get_current() {
        for url in urls {
            tauri.state::<Links>().open(url.into());
        }
    }
    let app = tauri.clone();
    tauri.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            app.state::<Links>().open(url.into());
        }
    });
}

/// Tells the links that the system opens the app with.
#[tauri::command]
pub fn watch_links(
    app: State<'_, App>,
    links: State<'_, Links>,
    listeners: State<'_, Listeners>,
    on: Channel<Opened>,
) {
    let (mut opened, taken) = (links.0.subscribe(), links.0.clone());
    let directory = app.directory.clone();
    let listener = async move {
        loop {
            if let Some(text) = taken.send_replace(None)
                && on.send(Opened::read(&text, &directory)).is_err()
            {
                return;
            }
            if opened.wait_for(Option::is_some).await.is_err() {
                return;
            }
        }
    };
    listeners.set("links", spawn(listener));
}

/// Looks for a QR code in the own picture while the page shows it, and tells each one once, until
/// the page listens no more.
#[tauri::command]
pub fn scan(app: State<'_, App>, listeners: State<'_, Listeners>, on: Channel<Opened>) {
    let (board, directory) = (app.board.clone(), app.directory.clone());
    let listener = async move {
        codes(&board, |text| {
            on.send(Opened::read(text, &directory)).is_ok()
        })
        .await;
    };
    listeners.set("scan", spawn(listener));
}

/// Ends looking.
#[tauri::command]
pub fn scan_stop(listeners: State<'_, Listeners>) {
    listeners.end("scan");
}

/// Calls `tell` with each code that is read, until it says `false`. The same one isn't told again
/// while it is held before the camera.
async fn codes(board: &Arc<Board>, mut tell: impl FnMut(&str) -> bool) {
    let mut changes = board.changes();
    let (mut seen, mut told) = (0, None);
    loop {
        let begun = Instant::now();
        if let Some((number, picture)) = board.newer(SELF, seen) {
            seen = number;
            let read = tokio::task::spawn_blocking(move || read(&picture)).await;
            if let Ok(Some(text)) = read
                && told.as_ref() != Some(&text)
            {
                if !tell(&text) {
                    return;
                }
                told = Some(text);
            }
        }
        sleep_until(begun + LOOK_EVERY).await;
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// The text of a QR code in a picture.
fn read(picture: &Picture) -> Option<String> {
    let (width, height, luma) = (picture.width(), picture.height(), picture.y());
    let mut image =
        PreparedImage::prepare_from_greyscale(width, height, |x, y| luma[y * width + x]);
    let grids = image.detect_grids();
    grids.iter().find_map(|grid| Some(grid.decode().ok()?.1))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use visita_client::trust::Pins;
    use visita_media::picture::Draft;
    use visita_protocol::{
        id::Fingerprint,
        media::Size,
        time::{MediaTime, WallMs},
    };

    use super::*;
    use crate::qr::qr;

    /// A picture of a code as the host's screen shows it: with its rim, smaller than the picture
    /// and a little dull.
    fn picture(text: &str, module: usize) -> Picture {
        let code = qr(text).unwrap();
        let size = Size::new(640, 480);
        let mut dark = vec![false; code.size * code.size];
        // The path is runs of modules: `Mx yhNv1h-Nz`.
        for run in code.d.split('M').skip(1) {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            dark[y * code.size + x..][..length].fill(true);
        }
        let (left, top) = (37, 21);
        let luma = |x: usize, y: usize| {
            let inside = x >= left && y >= top;
            let (column, row) = (
                x.saturating_sub(left) / module,
                y.saturating_sub(top) / module,
            );
            let within = inside && column < code.size && row < code.size;
            match within {
                true if dark[row * code.size + column] => 60,
                true => 200,
                false => 120,
            }
        };
        let mut draft = Draft::new(size, MediaTime(0)).unwrap();
        let planes = draft.planes();
        for (at, pixel) in planes.y.iter_mut().enumerate() {
            *pixel = luma(at % 640, at / 640);
        }
        draft.finish()
    }

    #[test]
    fn the_code_that_a_host_shows_is_read_from_a_picture() {
        let link = format!("visita://192.0.2.5:3000?fp=sha256:{}", "ab".repeat(32));
        for text in [
            "https://192.0.2.5:3000",
            "https://192.0.2.5:3000/Familiar/#room=00ff10abcdef0123",
            &link,
        ] {
            assert_eq!(read(&picture(text, 6)).as_deref(), Some(text));
        }
        let blank = Draft::new(Size::new(640, 480), MediaTime(0))
            .unwrap()
            .finish();
        assert_eq!(read(&blank), None);
    }

    #[test]
    fn what_a_link_says_is_told_with_what_is_known() {
        let pins = Arc::new(Pins::in_memory());
        let directory = Directory::new(pins.clone());
        let fingerprint = Fingerprint([0xab; 32]);
        let mut link = "visita://192.0.2.5?fp=sha256:".to_owned();
        let _ = write!(link, "{fingerprint}");
        let opened = |known, name: Option<&str>| Opened::Host {
            url: "https://192.0.2.5:3000".into(),
            address: "192.0.2.5:3000".into(),
            fingerprint: Some(shown(fingerprint)),
            known,
            name: name.map(str::to_owned),
            invitation: None,
        };
        assert_eq!(Opened::read(&link, &directory), opened(false, None));
        let url = "192.0.2.9".parse().unwrap();
        pins.remember(&url, fingerprint, Some("Ward 3"), WallMs(1))
            .unwrap();
        assert_eq!(
            Opened::read(&link, &directory),
            opened(true, Some("Ward 3"))
        );
        let room = "https://192.0.2.9/#/m/00ff10abcdef0123";
        let read = serde_json::to_value(Opened::read(room, &directory)).unwrap();
        assert_eq!(
            read["invitation"],
            serde_json::json!({ "kind": "meeting", "room": "00ff10abcdef0123" })
        );
        for text in [
            "",
            "WIFI:S:Ward;P:secret;;",
            "http://192.0.2.5",
            "visita://192.0.2.5/?fp=1",
        ] {
            assert_eq!(Opened::read(text, &directory), Opened::Other, "{text}");
        }
    }

    #[tokio::test]
    async fn a_code_that_is_held_up_is_told_once_and_the_next_one_too() {
        let board = Arc::new(Board::default());
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let looking = board.clone();
        let task = tokio::spawn(async move {
            codes(&looking, |text| sender.send(text.to_owned()).is_ok()).await;
        });
        let texts = ["https://192.0.2.5:3000", "https://192.0.2.6:3000"];
        for text in texts {
            let code = picture(text, 6);
            // As often as it is looked at, until it was told; what was told twice would be in the
            // way of the next.
            let next = loop {
                board.put(SELF, code.clone());
                tokio::select! {
                    next = told.recv() => break next,
                    () = tokio::time::sleep(LOOK_EVERY / 2) => {}
                }
            };
            assert_eq!(next.as_deref(), Some(text));
        }
        task.abort();
    }
}
