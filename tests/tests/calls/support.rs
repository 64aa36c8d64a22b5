//! Participants, and waiting for what they are told.

use std::time::Duration;

use tokio::{sync::mpsc, time::timeout};
use visita_client::{
    Call, Error,
    call::{self, Event, Joined, Options},
    pictures::Whose,
    report::Report,
    session,
};
use visita_media::source::{Choice, synthetic};
use visita_protocol::{
    control::{RelayMessage, Role, RoomChoice, RoomKind},
    id::MemberId,
    media::Size,
    name::{ChatText, PersonName, RoomName},
};

/// When something that is sure to come hasn't come by now, the test fails instead of hanging.
pub(crate) const HUNG: Duration = Duration::from_mins(1);

/// A participant, and what it was told.
pub(crate) struct Participant {
    pub(crate) call: Call,
    pub(crate) joined: Joined,
    events: mpsc::Receiver<Event>,
}

pub(crate) fn options(name: &str, video: Choice) -> Options {
    let room = RoomChoice::Name {
        name: RoomName::new("Room").unwrap(),
        create: Some(RoomKind::Meeting),
    };
    Options::new(room, PersonName::new(name).unwrap(), Role::Guest, video)
}

pub(crate) fn synthetic() -> Choice {
    Choice::Synthetic(synthetic::Config::new(Size::new(320, 180), 30).unwrap())
}

pub(crate) fn large() -> synthetic::Config {
    synthetic::Config::new(Size::new(640, 360), 30).unwrap()
}

pub(crate) fn text(text: &str) -> ChatText {
    ChatText::new(text).unwrap()
}

impl Participant {
    pub(crate) async fn join(session: session::Options, options: Options) -> Self {
        let (call, events, joined) = timeout(HUNG, call::join(session, options))
            .await
            .unwrap()
            .unwrap();
        Self {
            call,
            joined,
            events,
        }
    }

    pub(crate) fn id(&self) -> MemberId {
        self.joined.you
    }

    pub(crate) async fn event(&mut self) -> Event {
        timeout(HUNG, self.events.recv())
            .await
            .expect("nothing happens any more")
            .unwrap()
    }

    /// The first thing from here on that `wanted` takes.
    pub(crate) async fn until<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(&self.event().await) {
                return found;
            }
        }
    }

    /// What was written next, and by whom.
    pub(crate) async fn chat(&mut self) -> (MemberId, String) {
        self.until(|event| match event {
            Event::Relay(RelayMessage::Chat(line)) => {
                Some((line.from, line.text.reveal().to_owned()))
            }
            _ => None,
        })
        .await
    }

    /// Waits until so many more pictures of a member were decoded.
    pub(crate) async fn pictures(&self, from: MemberId, more: u64) {
        let begin = self.decoded(from).await;
        let enough = async {
            while self.decoded(from).await < begin + more {
                self.call.pictures().next().await;
            }
        };
        timeout(HUNG, enough).await.expect("no pictures come");
    }

    /// Waits for a picture of a member that has a size as wanted.
    pub(crate) async fn picture_of(&self, from: MemberId, wanted: impl Fn(Size) -> bool) {
        let pictures = self.call.pictures();
        let seen = async {
            while !pictures
                .next()
                .await
                .iter()
                .any(|(whose, p)| *whose == Whose::Member(from) && wanted(p.size()))
            {}
        };
        timeout(HUNG, seen)
            .await
            .expect("no picture of that size comes");
    }

    pub(crate) async fn decoded(&self, from: MemberId) -> u64 {
        let report = self.call.report().await.unwrap();
        report
            .received
            .iter()
            .filter(|row| row.from == from)
            .map(|row| row.frames_decoded)
            .sum()
    }

    /// Leaves; all that happened since the last look, and what was measured.
    pub(crate) async fn leave(self) -> (Vec<Event>, Report) {
        self.call.leave();
        let (events, report, error) = self.end().await;
        assert!(error.is_none(), "{error:?}");
        (events, report)
    }

    /// Waits for the end.
    pub(crate) async fn end(mut self) -> (Vec<Event>, Report, Option<Error>) {
        let mut events = Vec::new();
        loop {
            match self.event().await {
                Event::Ended { report, error } => return (events, report, error),
                event => events.push(event),
            }
        }
    }
}
