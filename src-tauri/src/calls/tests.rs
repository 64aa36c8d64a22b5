//! A call as the page is told of it, its sound above all, over a real relay; a tone is the microphone, and
//! nothing is heard.

use serde_json::json;
use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};
use visita_protocol::media::Source;

use super::*;
use crate::{
    app::App,
    settings::Settings,
    tests::{Folder, PATIENCE, hosting},
};

/// Louder than this is the tone, softer is a room.
const HEARD: i8 = -60;

fn app(folder: &Folder, microphone: &str) -> App {
    let settings = Settings {
        microphone: microphone.parse().unwrap(),
        ..folder.settings()
    };
    let data = settings.data.clone();
    App::new(settings, data).unwrap()
}

struct Page {
    call: u32,
    events: UnboundedReceiver<CallEvent>,
}

impl Page {
    fn joins(app: &App, name: &str, microphone: bool) -> Self {
        let (told, events) = mpsc::unbounded_channel();
        let wish = serde_json::from_value(json!({
            "room": { "by": "name", "name": "Bed 1", "create": "bed" }, "name": name,
            "role": "staff", "camera": false, "microphone": microphone,
        }));
        let call = app
            .calls
            .join(app.relay.current(), wish.unwrap(), move |event| {
                drop(told.send(event));
            })
            .unwrap();
        Self { call, events }
    }

    async fn next(&mut self) -> CallEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// The next event of which this can be said; what comes before it isn't looked at.
    async fn until<T>(&mut self, said: impl Fn(&CallEvent) -> Option<T>) -> T {
        loop {
            if let Some(said) = said(&self.next().await) {
                return said;
            }
        }
    }

    async fn microphone(&mut self) -> MicState {
        self.until(|event| match event {
            CallEvent::Microphone { state } => Some(*state),
            _ => None,
        })
        .await
    }

    async fn you(&mut self) -> MemberId {
        self.until(|event| match event {
            CallEvent::Relay {
                message: RelayMessage::Joined { you, .. },
            } => Some(*you),
            _ => None,
        })
        .await
    }
}

fn tone_of(event: &CallEvent, member: MemberId) -> Option<()> {
    match event {
        CallEvent::Levels { members, .. } => (*members.get(&member)? > HEARD).then_some(()),
        _ => None,
    }
}

/// Whether the relay says of a member that it can be heard; `None` of other events.
fn announces(event: &CallEvent, member: MemberId) -> Option<bool> {
    match event {
        CallEvent::Relay {
            message: RelayMessage::MemberChanged { member: changed },
        } if changed.id == member => {
            let mut tracks = changed.tracks.iter();
            Some(tracks.any(|track| track.source == Source::Microphone))
        }
        _ => None,
    }
}

#[tokio::test]
async fn who_speaks_is_heard_until_they_mute() {
    let (one, other) = (Folder::new("sound-host"), Folder::new("sound-guest"));
    let host = app(&one, "tone:440");
    let status = hosting(&host).await;
    let (url, fingerprint) = (status.url.unwrap(), status.fingerprint.unwrap());
    host.relay.choose(&url, Some(&fingerprint)).await;
    let guest = app(&other, "none");
    guest.relay.choose(&url, None).await;

    let mut ana = Page::joins(&host, "Ana", true);
    let you = ana.you().await;
    let opened = async |page: &mut Page| {
        loop {
            match page.microphone().await {
                MicState::Starting => {}
                state => return state,
            }
        }
    };
    assert_eq!(
        opened(&mut ana).await,
        MicState::On,
        "never said to be muted"
    );
    let mut berta = Page::joins(&guest, "Berta", true);
    assert_eq!(berta.microphone().await, MicState::Missing);
    berta.until(|event| tone_of(event, you)).await;
    let own = |event: &CallEvent| match event {
        CallEvent::Levels { own, .. } => (*own > HEARD).then_some(()),
        _ => None,
    };
    ana.until(own).await;

    host.calls.microphone(ana.call, false).unwrap();
    assert_eq!(opened(&mut ana).await, MicState::Muted);
    while berta.until(|event| announces(event, you)).await {}
    host.calls.microphone(ana.call, true).unwrap();
    assert_eq!(opened(&mut ana).await, MicState::On);
    berta.until(|event| tone_of(event, you)).await;
    guest.calls.leave_all();
    host.end().await;
}

#[tokio::test]
async fn who_enters_muted_is_heard_by_nobody() {
    let (one, other) = (Folder::new("sound-muted"), Folder::new("sound-listens"));
    let host = app(&one, "tone:440");
    let status = hosting(&host).await;
    let (url, fingerprint) = (status.url.unwrap(), status.fingerprint.unwrap());
    host.relay.choose(&url, Some(&fingerprint)).await;
    let guest = app(&other, "none");
    guest.relay.choose(&url, None).await;
    let mut berta = Page::joins(&guest, "Berta", false);
    berta.you().await;

    // Muted from the start, and muted while the room is being entered.
    for later in [false, true] {
        let mut ana = Page::joins(&host, "Ana", later);
        if later {
            host.calls.microphone(ana.call, false).unwrap();
        }
        let you = ana.you().await;
        // Until the microphone brings sound.
        let mut states = Vec::new();
        loop {
            match ana.next().await {
                CallEvent::Microphone { state } => states.push(state),
                CallEvent::Levels { own, .. } if own > HEARD => break,
                _ => {}
            }
        }
        assert_eq!(states.last(), Some(&MicState::Muted), "{states:?}");
        assert!(!states.contains(&MicState::On), "{states:?}");
        // What she said of her tracks was said before this line.
        host.calls.chat(ana.call, "hello").unwrap();
        loop {
            match berta.next().await {
                CallEvent::Relay {
                    message: RelayMessage::Chat(_),
                } => break,
                event => assert_ne!(announces(&event, you), Some(true)),
            }
        }
        host.calls.leave(ana.call);
    }
    guest.calls.leave_all();
    host.end().await;
}

#[tokio::test]
async fn who_asks_for_a_code_is_told_six_digits() {
    let folder = Folder::new("code");
    let host = app(&folder, "none");
    let status = hosting(&host).await;
    let (url, fingerprint) = (status.url.unwrap(), status.fingerprint.unwrap());
    host.relay.choose(&url, Some(&fingerprint)).await;
    assert_eq!(host.calls.make_code(1), Err(Code::NotJoined));
    let mut ana = Page::joins(&host, "Ana", false);
    ana.you().await;
    host.calls.make_code(ana.call).unwrap();
    let digits = ana
        .until(|event| match event {
            CallEvent::Relay {
                message: RelayMessage::Code { code, valid_s },
            } => Some((code.digits(), *valid_s)),
            _ => None,
        })
        .await;
    assert_eq!(digits.0.len(), 6);
    assert!(digits.1 > 500, "{digits:?}");
    host.end().await;
}
