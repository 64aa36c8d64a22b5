//! The cameras of this device: which there are, which was chosen, and the own picture before a
//! call, which goes to the page as all pictures do.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use visita_media::{
    publish::{self, Limits, Publisher},
    source::{self, Choice, Device},
};

use crate::{
    calls::CameraState,
    frames::{Board, SELF},
};

/// How often it is looked whether a camera was plugged in or out, while somebody is shown the
/// list: as soon as a person looks up from the cable.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The cameras there are, as the page takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct List {
    cameras: Vec<Named>,
    chosen: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Named {
    id: String,
    name: String,
}

impl From<Device> for Named {
    fn from(Device { id, name }: Device) -> Self {
        Self { id, name }
    }
}

/// What happens to the own picture before a call. Its size is told by the picture itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PreviewEvent {
    /// The camera changed.
    Camera {
        /// How it is.
        state: CameraState,
    },
}

/// The cameras, and the preview, of which there is one at a time.
pub struct Cameras {
    /// What takes the camera's place, if that was set.
    stand_in: Option<Choice>,
    /// Which camera a person chose.
    wish: watch::Sender<Option<String>>,
    /// What was found last; `None` before anybody looked.
    found: Mutex<Option<Vec<Named>>>,
    board: Arc<Board>,
    /// Locked while a camera is opened or closed, so that a call waits for it.
    preview: tokio::sync::Mutex<Option<Publisher>>,
}

impl Cameras {
    /// The system's cameras, or what was set to take their place.
    pub fn new(set: Choice, board: Arc<Board>) -> Self {
        Self {
            stand_in: (set != Choice::Camera(None)).then_some(set),
            wish: watch::Sender::default(),
            found: Mutex::default(),
            board,
            preview: tokio::sync::Mutex::default(),
        }
    }

    /// Tells the cameras there are, and each change, for as long as somebody listens.
    pub async fn watch(&self, tell: impl Fn(List) -> bool) {
        let mut wish = self.wish.subscribe();
        let mut told = None;
        let mut plugged = None;
        loop {
            let now = source::plugged();
            if now.is_none() || plugged != now {
                self.look().await;
                plugged = now;
            }
            let list = self.list();
            if told.as_ref() != Some(&list) {
                if !tell(list.clone()) {
                    return;
                }
                told = Some(list);
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                _ = wish.changed() => {}
            }
        }
    }

    /// Takes this camera from now on, where it is there.
    pub async fn choose(&self, id: String) -> Choice {
        self.wish.send_replace(Some(id));
        let choice = self.choice().await;
        if let Some(preview) = &*self.preview.lock().await {
            preview.source(choice.clone().opener());
        }
        choice
    }

    /// Where pictures come from: the camera that was chosen, or any where that one isn't there.
    pub async fn choice(&self) -> Choice {
        if let Some(stand_in) = &self.stand_in {
            return stand_in.clone();
        }
        if self.wish.borrow().is_some() && self.found().is_none() {
            self.look().await;
        }
        Choice::Camera(self.wished())
    }

    /// Opens the camera, and shows its pictures until [`Cameras::end_preview`].
    pub async fn preview(&self, tell: impl Fn(PreviewEvent) + Send + 'static) {
        let choice = self.choice().await;
        let mut preview = self.preview.lock().await;
        close(preview.take()).await;
        let state = |state| PreviewEvent::Camera { state };
        if choice == Choice::None {
            tell(state(CameraState::Missing));
            return;
        }
        tell(state(CameraState::Starting));
        let board = self.board.clone();
        let on_event = move |event| match event {
            publish::Event::Picture(picture) => board.put(SELF, picture),
            publish::Event::Started { .. } => tell(state(CameraState::On)),
            publish::Event::Stopped(error) => {
                board.remove(SELF);
                tell(state((&error).into()));
            }
            publish::Event::EncoderFailed { .. } => {}
        };
        let config = publish::Config {
            source: choice.opener(),
            tracks: Vec::new(),
            limits: Limits::default(),
        };
        match Publisher::start(config, on_event, |_| {}) {
            Ok(publisher) => *preview = Some(publisher),
            Err(error) => tracing::error!(%error, "no thread for the camera"),
        }
    }

    /// Gives the camera back. Once this returns a call can open it.
    pub async fn end_preview(&self) {
        let mut preview = self.preview.lock().await;
        if let Some(publisher) = preview.take() {
            close(Some(publisher)).await;
            self.board.remove(SELF);
        }
    }

    async fn look(&self) {
        let found = match &self.stand_in {
            None => spawn_blocking(source::cameras)
                .await
                .unwrap_or_else(|_| Ok(Vec::new())),
            Some(Choice::None) => Ok(Vec::new()),
            Some(stand_in) => Ok(vec![Device {
                id: "stand-in".into(),
                name: match stand_in {
                    Choice::Synthetic(_) => "Synthetic picture".into(),
                    Choice::File(_) => "File".into(),
                    _ => "Camera".into(),
                },
            }]),
        };
        // Why there are none is said when one is opened.
        let found = found.unwrap_or_default().into_iter().map(Named::from);
        *self.found() = Some(found.collect());
    }

    fn list(&self) -> List {
        let cameras = self.found().clone().unwrap_or_default();
        let chosen = self.wished().or_else(|| Some(cameras.first()?.id.clone()));
        List { cameras, chosen }
    }

    /// The camera that was chosen, if it is there.
    fn wished(&self) -> Option<String> {
        let wish = self.wish.borrow().clone()?;
        let found = self.found();
        let there = found.iter().flatten().any(|camera| camera.id == wish);
        there.then_some(wish)
    }

    fn found(&self) -> MutexGuard<'_, Option<Vec<Named>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a preview's camera, which may take its time.
async fn close(publisher: Option<Publisher>) {
    if let Some(publisher) = publisher {
        let _ = spawn_blocking(move || publisher.stop()).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use visita_protocol::media::Size;

    use super::*;

    fn cameras(set: &str) -> (Arc<Board>, Cameras) {
        let board = Arc::new(Board::default());
        (board.clone(), Cameras::new(set.parse().unwrap(), board))
    }

    #[tokio::test]
    async fn the_own_picture_is_shown_and_the_camera_given_back() {
        let (board, cameras) = cameras("synthetic:320x180@100");
        let (told, mut events) = mpsc::unbounded_channel();
        let mut changes = board.changes();
        cameras
            .preview(move |event| {
                let _ = told.send(event);
            })
            .await;
        for state in [CameraState::Starting, CameraState::On] {
            assert_eq!(events.recv().await, Some(PreviewEvent::Camera { state }));
        }
        changes.changed().await.unwrap();
        let (_, picture) = board.newer(SELF, 0).unwrap();
        assert_eq!(picture.size(), Size::new(320, 180));
        cameras.end_preview().await;
        assert!(board.newer(SELF, 0).is_none());
        assert_eq!(events.recv().await, None, "its thread is gone");
    }

    #[tokio::test]
    async fn a_camera_that_fails_is_told_and_another_preview_takes_its_place() {
        let (_, cameras) = cameras("file:/nowhere");
        let (told, mut events) = mpsc::unbounded_channel();
        for _ in 0..2 {
            let told = told.clone();
            cameras
                .preview(move |event| {
                    let _ = told.send(event);
                })
                .await;
            for state in [CameraState::Starting, CameraState::Failed] {
                assert_eq!(events.recv().await, Some(PreviewEvent::Camera { state }));
            }
        }
    }

    #[tokio::test]
    async fn what_takes_the_cameras_place_is_the_list() {
        let (_, cameras) = cameras("synthetic");
        let (told, mut lists) = mpsc::unbounded_channel();
        let listening = cameras.watch(move |list| {
            told.send(list).unwrap();
            false
        });
        listening.await;
        let list = lists.recv().await.unwrap();
        assert_eq!(list.cameras.len(), 1);
        assert_eq!(list.chosen.as_deref(), Some("stand-in"));
    }

    #[tokio::test]
    async fn a_chosen_camera_that_is_not_there_is_any() {
        let (_, cameras) = cameras("camera");
        *cameras.found() = Some(
            ["Front", "Back"]
                .map(|name| Named {
                    id: name.into(),
                    name: name.into(),
                })
                .to_vec(),
        );
        assert_eq!(cameras.choice().await, Choice::Camera(None));
        assert_eq!(
            cameras.choose("Back".into()).await,
            Choice::Camera(Some("Back".into()))
        );
        assert_eq!(cameras.list().chosen.as_deref(), Some("Back"));
        assert_eq!(cameras.choose("Gone".into()).await, Choice::Camera(None));
        assert_eq!(cameras.list().chosen.as_deref(), Some("Front"));
    }
}
