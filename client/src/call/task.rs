//! The call's one task: it sorts what comes, and never waits for anybody but the session.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use visita_media::{publish, sound};
use visita_protocol::{
    control::{Carries, ClientMessage, RelayMessage, SendTrack},
    media::Track,
};

use super::{
    Camera, Command, Event, Incoming, Levels, Outgoing, Speaker, incoming::LAST_FRAMES,
    outgoing::Local, voice::Voice,
};
use crate::{error::Error, report, session};

/// How often the uplink is looked at: a few times in the half second that the rate's rule needs
/// between two steps.
const TURN: Duration = Duration::from_millis(200);

/// How often levels are told: fast enough for a meter to follow speech.
const METER: Duration = Duration::from_millis(100);

pub(super) struct Task {
    pub(super) session: session::Handle,
    pub(super) events: mpsc::Receiver<session::Event>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) locals: mpsc::Receiver<Local>,
    pub(super) out: mpsc::Sender<Event>,
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
    pub(super) voice: Voice,
    pub(super) ways: report::Ways,
    /// What was announced last.
    pub(super) announced: Vec<Track>,
    /// What the others were told last that the line carries.
    pub(super) carries: Carries,
    /// What the host wants.
    pub(super) wanted: Vec<SendTrack>,
}

impl Task {
    pub(super) async fn run(mut self) {
        let mut turn = interval(TURN);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut meter = interval(METER);
        meter.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.microphone();
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
                    let line = self.outgoing.turn();
                    self.announce();
                    self.voice.turn(line, self.outgoing.is_least());
                    self.incoming.sweep();
                    for member in self.incoming.unseen() {
                        self.tell(Event::Unseen(member));
                    }
                }
                _ = meter.tick() => self.levels(),
            }
        };
        self.end(error).await;
    }

    async fn end(mut self, error: Option<Error>) {
        // The camera's light and the microphone's go out first.
        let (mut sent, voice) = tokio::join!(self.outgoing.stop(), self.voice.stop());
        sent.extend(voice);
        let deadline = tokio::time::Instant::now() + LAST_FRAMES;
        while self.incoming.is_busy() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let report = self.incoming.finish(sent, self.ways).await;
        let _ = self.out.send(Event::Ended { report, error }).await;
    }

    fn event(&mut self, event: session::Event) {
        match event {
            session::Event::Chunk(chunk) => self.incoming.chunk(chunk),
            session::Event::Frame(header, payload) => self.incoming.frame(header, payload),
            session::Event::Way(way) => {
                self.ways.changed(way);
                for send in &self.wanted {
                    self.outgoing.key_frame(send.track);
                }
                self.tell(Event::Way(way));
            }
            session::Event::Message(RelayMessage::Send { tracks }) => {
                self.wanted = tracks;
                self.route();
            }
            session::Event::Message(RelayMessage::KeyFrame { track }) => {
                self.outgoing.key_frame(track);
            }
            session::Event::Message(RelayMessage::Loss { track, percent }) => {
                self.voice.loss(track, percent);
            }
            session::Event::Message(message) => {
                match &message {
                    RelayMessage::MemberJoined { member }
                    | RelayMessage::MemberChanged { member } => {
                        self.incoming.member(member);
                    }
                    RelayMessage::MemberLeft { member, .. } => self.incoming.left(*member),
                    RelayMessage::Joined { members, .. } => {
                        self.incoming.told(members);
                        self.voice.told_anew();
                    }
                    _ => {}
                }
                self.tell(Event::Relay(message));
            }
            session::Event::Quiet => self.tell(Event::Reconnecting),
            session::Event::Lost => {
                self.incoming.lost();
                self.tell(Event::Reconnecting);
            }
            session::Event::Back | session::Event::Resumed => self.tell(Event::Reconnected),
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
                    // Before what follows from it for the line: a camera that is off isn't sent again.
                    self.tell(Event::Camera(if on {
                        Camera::Starting
                    } else {
                        Camera::Off
                    }));
                    self.announce();
                }
            }
            Command::Source(choice) => {
                if self.outgoing.source(choice) {
                    self.tell(Event::Camera(Camera::Starting));
                }
            }
            Command::Mute(muted, done) => {
                self.voice.mute(muted);
                self.announce();
                self.microphone();
                // Nobody may be waiting any more.
                let _ = done.send(());
            }
            Command::Audio(choice) => {
                self.voice.source(choice);
                self.announce();
                self.microphone();
            }
            Command::Process(process) => self.voice.process(process),
            Command::Play(output) => self.incoming.play(output),
            Command::Volume(member, volume) => self.incoming.volume(member, volume),
            Command::Sound(blocks) => self.incoming.sound(&blocks),
            Command::Report(answer) => {
                let mut sent = self.outgoing.sent();
                sent.extend(self.voice.sent());
                let _ = answer.send(self.incoming.report(sent, self.ways));
            }
        }
    }

    fn local(&mut self, local: Local) {
        match local {
            Local::KeyFrame(track) => self.outgoing.key_frame(track),
            Local::Source(publish::Event::Started { name, size }) => {
                if self.outgoing.started(size) {
                    self.announce();
                    self.tell(Event::Camera(Camera::On { name, size }));
                }
            }
            Local::Source(publish::Event::Stopped(error)) => {
                if self.outgoing.stopped() {
                    self.announce();
                    self.tell(Event::Camera(Camera::Failed(error)));
                }
            }
            Local::Source(publish::Event::EncoderFailed { track, error }) => {
                tracing::warn!(%track, %error, "a picture can't be encoded");
            }
            Local::Source(publish::Event::Picture(_)) => {}
            Local::Sound(event) => {
                let name = match &event {
                    sound::publish::Event::Started { name }
                    | sound::publish::Event::DeviceChanged { name } => Some(name.clone()),
                    _ => None,
                };
                self.voice.event(event);
                self.announce();
                self.microphone();
                if let Some(name) = name {
                    self.tell(Event::Source { name });
                }
            }
            Local::Speaker(event) => self.tell(Event::Speaker(match event {
                sound::listen::Event::Started { name }
                | sound::listen::Event::DeviceChanged { name } => Speaker::On { name },
                sound::listen::Event::Stopped(error) => Speaker::Failed(error),
            })),
        }
    }

    /// Says what can be sent now, and what the line carries of it, if that is something else than
    /// before. What isn't announced any more doesn't leave from here on, whenever the host hears of
    /// it.
    fn announce(&mut self) {
        let carries = self.outgoing.carries();
        if carries != self.carries {
            self.carries = carries;
            self.say(ClientMessage::Line { carries });
            self.tell(Event::Uplink(carries));
        }
        let mut tracks = self.outgoing.tracks().to_vec();
        tracks.extend(self.voice.track());
        if tracks == self.announced {
            return;
        }
        self.announced.clone_from(&tracks);
        self.route();
        self.say(ClientMessage::Tracks { tracks });
    }

    /// Sends what the host wants.
    fn route(&mut self) {
        let mut selected = self.outgoing.wanted(&self.wanted);
        selected.extend(self.voice.wanted(&self.wanted));
        self.session.route(&selected);
    }

    fn microphone(&mut self) {
        if let Some(microphone) = self.voice.news() {
            self.tell(Event::Microphone(microphone));
        }
    }

    /// Tells how loud everybody is, while there is sound and somebody who reads: a meter isn't worth
    /// the call.
    fn levels(&mut self) {
        let (own, members) = (self.voice.own(), self.incoming.levels());
        if own.is_none() && members.is_empty() || self.out.capacity() < self.out.max_capacity() / 2
        {
            return;
        }
        self.tell(Event::Levels(Levels {
            own: own.map(|own| own.dbov),
            talking_while_muted: own.is_some_and(|own| own.talking_while_muted),
            members,
        }));
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
