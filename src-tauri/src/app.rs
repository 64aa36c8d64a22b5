//! What the app is made of, put together once and shared by all commands.

use std::{io, path::PathBuf, sync::Arc};

use tokio::sync::watch;
use visita_client::trust::Pins;
use visita_media::source::Choice;
use visita_protocol::error::Code;

use crate::{
    awake::Awake,
    calls::Calls,
    cameras::Cameras,
    frames::{self, Board, Captured, Endpoint, Shown},
    hosting::Hosting,
    hosts::Directory,
    relay,
    settings::Settings,
    sounds::Sounds,
};

/// The folder of the client's part under the app's data: whom it trusts.
const CLIENT: &str = "client";
/// The folder of the relay's part: the ward's keys.
const RELAY: &str = "relay";

/// The app.
pub struct App {
    /// Where the page gets its pictures.
    pub endpoint: Endpoint,
    /// The hosts around.
    pub directory: Arc<Directory>,
    /// The relay in use.
    pub relay: relay::Choice,
    /// This device as host.
    pub hosting: Arc<Hosting>,
    /// The call.
    pub calls: Arc<Calls>,
    /// The cameras.
    pub cameras: Arc<Cameras>,
    /// The microphones and loudspeakers.
    pub sounds: Arc<Sounds>,
    /// What keeps this device awake.
    pub awake: Arc<Awake>,
    /// What was set.
    pub settings: Settings,
    /// Whom the app trusts.
    pub pins: Arc<Pins>,
    /// The newest pictures, the own one among them.
    pub board: Arc<Board>,
}

impl App {
    /// Puts the app together. Its state is kept under `data`; without it, only in memory. State
    /// that can't be read stops nobody from hosting, but no other host is trusted without it.
    pub fn new(settings: Settings, data: Option<PathBuf>) -> io::Result<Self> {
        let opened = data.as_ref().map_or_else(
            || Ok(Pins::in_memory()),
            |data| Pins::open(&data.join(CLIENT)),
        );
        let (pins, broken) = match opened {
            Ok(pins) => (pins, false),
            Err(error) => {
                tracing::error!(%error, "whom this device trusts can't be read");
                (Pins::in_memory(), true)
            }
        };
        let pins = Arc::new(pins);
        let board = Arc::new(Board::default());
        let (shown, showing) = watch::channel(Shown::new());
        let captured = match &settings.camera {
            Choice::Feed(feed) => Some(Captured::new(feed.clone())),
            _ => None,
        };
        let endpoint = frames::serve(board.clone(), shown, captured)?;
        let directory = Arc::new(Directory::new(pins.clone()));
        let relay = relay::Choice::new(pins.clone(), directory.clone(), broken);
        let awake = Arc::new(Awake::new());
        let hosting = Arc::new(Hosting::new(
            data,
            RELAY,
            settings.port,
            directory.clone(),
            awake.clone(),
        ));
        let cameras = Arc::new(Cameras::new(settings.camera.clone(), board.clone()));
        let sounds = Arc::new(Sounds::new(
            settings.microphone.clone(),
            settings.speaker.clone(),
        ));
        let calls = Arc::new(Calls::new(
            settings.camera.clone(),
            sounds.clone(),
            board.clone(),
            showing,
        ));
        Ok(Self {
            endpoint,
            directory,
            relay,
            hosting,
            calls,
            cameras,
            sounds,
            awake,
            settings,
            pins,
            board,
        })
    }

    /// Ends hosting: everybody is told, and the call over the own relay ends with it.
    pub async fn stop_hosting(&self) {
        if let Some(own) = self.hosting.stop().await {
            self.relay.ended(own);
        }
    }

    /// Calls this device's ward something else.
    pub fn rename_ward(&self, name: &str) -> Result<(), Code> {
        let name = self.hosting.rename(name)?;
        if let Some(own) = self.directory.own() {
            self.relay.renamed(own.fingerprint, &name);
        }
        Ok(())
    }

    /// Ends all that others would miss without a word: the call, and hosting. A device that starts
    /// with the system hosts again.
    pub async fn end(&self) {
        self.calls.leave_all();
        self.hosting.end().await;
    }

    /// Looks at this device, and keeps it awake in calls, until the app ends.
    pub async fn look(&self) {
        let mut calls = self.calls.going_on();
        let awake = async {
            loop {
                let going_on = *calls.borrow_and_update();
                self.awake.wish(|wish| wish.calls = going_on);
                if calls.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(self.hosting.look(), awake, self.relay.follow());
    }
}
