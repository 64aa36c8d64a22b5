//! The call's one task: it sorts what comes, and never waits for anybody but the session.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use visita_media::publish;
use visita_protocol::control::{ClientMessage, RelayMessage};

use super::{Camera, Command, Event, Incoming, Outgoing, incoming::LAST_FRAMES, outgoing::Local};
use crate::{error::Error, session};

/// How often the uplink is looked at: a few times in the half second that the rate's rule needs
/// between two steps.
const TURN: Duration = Duration::from_millis(200);

pub(super) struct Task {
    pub(super) session: session::Handle,
    pub(super) events: mpsc::Receiver<session::Event>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) locals: mpsc::Receiver<Local>,
    pub(super) out: mpsc::Sender<Event>,
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
}

impl Task {
    pub(super) async fn run(mut self) {
        let mut turn = interval(TURN);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut commanded = true;
        let error = loop {
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(session::Event::Ended(error)) => break error,
                    Some(event) => self.event(event),
                    None => break None,
                },
                command = self.commands.recv(), if commanded => {
                    if let Some(command) = command {
                        self.command(command);
                    } else {
                        // Nobody can command the call any more: leave it.
                        commanded = false;
                        self.session.close();
                    }
                }
                Some(local) = self.locals.recv() => self.local(local),
                _ = turn.tick() => {
                    self.outgoing.turn();
                    self.incoming.sweep();
                    for member in self.incoming.unseen() {
                        self.tell(Event::Unseen(member));
                    }
                }
            }
        };
        self.end(error).await;
    }

    async fn end(mut self, error: Option<Error>) {
        // The camera's light goes out first.
        let sent = self.outgoing.stop().await;
        let deadline = tokio::time::Instant::now() + LAST_FRAMES;
        while self.incoming.is_busy() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let report = self.incoming.finish(sent).await;
        let _ = self.out.send(Event::Ended { report, error }).await;
    }

    fn event(&mut self, event: session::Event) {
        match event {
            session::Event::Chunk(chunk) => self.incoming.chunk(chunk),
            session::Event::Message(RelayMessage::Send { tracks }) => self.outgoing.wanted(tracks),
            session::Event::Message(RelayMessage::KeyFrame { track }) => {
                self.outgoing.key_frame(track);
            }
            session::Event::Message(message) => {
                match &message {
                    RelayMessage::MemberJoined { member }
                    | RelayMessage::MemberChanged { member } => {
                        self.incoming.member(member);
                    }
                    RelayMessage::MemberLeft { member, .. } => self.incoming.left(*member),
                    RelayMessage::Joined { members, .. } => self.incoming.told(members),
                    _ => {}
                }
                self.tell(Event::Relay(message));
            }
            session::Event::Lost => {
                self.incoming.lost();
                self.tell(Event::Reconnecting);
            }
            session::Event::Resumed => self.tell(Event::Reconnected),
            session::Event::Ended(_) => {}
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Watch(watch) => {
                self.incoming.watch(&watch);
                self.say(ClientMessage::Watch(watch));
            }
            Command::Camera(on) => {
                if self.outgoing.switch(on) {
                    if !on {
                        self.say(ClientMessage::Tracks { tracks: Vec::new() });
                    }
                    self.tell(Event::Camera(if on {
                        Camera::Starting
                    } else {
                        Camera::Off
                    }));
                }
            }
            Command::Source(choice) => {
                if self.outgoing.source(choice) {
                    self.tell(Event::Camera(Camera::Starting));
                }
            }
            Command::Report(answer) => {
                // Nobody may be waiting any more.
                let _ = answer.send(self.incoming.report(self.outgoing.sent()));
            }
        }
    }

    fn local(&mut self, local: Local) {
        match local {
            Local::KeyFrame(track) => self.outgoing.key_frame(track),
            Local::Source(publish::Event::Started { name, size }) => {
                if let Some(tracks) = self.outgoing.started(size) {
                    self.say(ClientMessage::Tracks { tracks });
                    self.tell(Event::Camera(Camera::On { name, size }));
                }
            }
            Local::Source(publish::Event::Stopped(error)) => {
                if self.outgoing.is_on() {
                    self.say(ClientMessage::Tracks { tracks: Vec::new() });
                    self.tell(Event::Camera(Camera::Failed(error)));
                }
            }
            Local::Source(publish::Event::EncoderFailed { track, error }) => {
                tracing::warn!(%track, %error, "a picture can't be encoded");
            }
            Local::Source(publish::Event::Picture(_)) => {}
        }
    }

    /// What can't be said ends the session by itself.
    fn say(&self, message: ClientMessage) {
        if let Err(error) = self.session.say(message) {
            tracing::warn!(%error, "nothing more can be said in this call");
            self.session.close();
        }
    }

    fn tell(&self, event: Event) {
        if self.out.try_send(event).is_err() {
            // Who doesn't read the events, or dropped them, doesn't hold this call any more.
            self.session.close();
        }
    }
}
