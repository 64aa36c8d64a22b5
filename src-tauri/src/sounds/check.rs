//! The own microphone before a call: how loud it is, and a few seconds of it as others will hear
//! them. What is taken up is kept in memory, as packets, until it was played once.

use std::{io, sync::Arc};

use serde::Serialize;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, spawn_blocking},
};
use visita_media::sound::{
    listen::Output,
    opus,
    played::Played,
    publish::{Config, Encoded, Event, Publisher},
    source::Choice,
};

use super::{
    Sounds, Taken,
    play::{self, Playing},
};
use crate::calls::{MicState, decibels};

/// The microphone tells its level ten times a second: a sample takes three seconds, a sentence.
const SAMPLE_LEVELS: u32 = 30;
/// The packets of these seconds, at 20 ms each, and some that come while it is ended.
const SAMPLE_PACKETS: usize = 160;
/// What waits for the check's task: half a second of everything that comes.
const WAITING: usize = 64;

/// What happens while the own sound is tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CheckEvent {
    /// The microphone changed.
    Microphone {
        /// How it is.
        state: MicState,
    },
    /// How loud it is, ten times a second.
    Level {
        /// In decibels below full scale, 0 to −127.
        level: i8,
    },
    /// The sample changed.
    Sample {
        /// How it is.
        state: SampleState,
    },
}

/// A few seconds of one's own sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleState {
    /// There is none.
    None,
    /// It is taken up.
    Recording,
    /// It is played.
    Playing,
}

/// What comes to the check's task.
enum Input {
    Microphone(Event),
    Packet(Encoded),
    Taken(Taken, Taken),
    Sample,
    Played,
}

/// An open microphone.
pub(super) struct Check {
    inputs: mpsc::Sender<Input>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Check {
    /// Opens it. Must be called on a runtime.
    pub(super) fn start(
        sounds: Arc<Sounds>,
        taken: Taken,
        played: Played,
        tell: impl Fn(CheckEvent) + Send + 'static,
    ) -> io::Result<Self> {
        let (inputs, queue) = mpsc::channel(WAITING);
        let config = Config {
            source: taken.microphone.clone(),
            process: taken.process,
            bitrate: opus::BITRATE,
            muted: false,
            played: played.clone(),
        };
        let (events, packets) = (inputs.clone(), inputs.clone());
        // A level or a packet that finds no room is one that nobody misses.
        let publisher = Publisher::start(
            config,
            move |event| drop(events.try_send(Input::Microphone(event))),
            move |packet| drop(packets.try_send(Input::Packet(packet))),
        )?;
        let (stop, stopped) = oneshot::channel();
        let task = Task {
            publisher,
            played,
            speaker: taken.speaker.clone(),
            sample: Sample::None,
            playing: None,
            inputs: inputs.clone(),
            tell,
        };
        let task = tokio::spawn(task.run(queue, sounds, taken, stopped));
        Ok(Self { inputs, stop, task })
    }

    /// Takes up a sample, unless one is taken up or played.
    pub(super) fn sample(&self) {
        if self.inputs.try_send(Input::Sample).is_err() {
            tracing::debug!("the check is too busy for a sample");
        }
    }

    /// Closes the microphone, and stops what is played.
    pub(super) async fn end(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// The sample: pure.
#[derive(Debug, Default, PartialEq)]
enum Sample<T> {
    #[default]
    None,
    Recording {
        packets: Vec<T>,
        levels: u32,
    },
    Playing,
}

impl<T> Sample<T> {
    /// A sample is wanted. Answers whether one begins.
    fn begin(&mut self) -> bool {
        let begins = matches!(self, Self::None);
        if begins {
            *self = Self::Recording {
                packets: Vec::new(),
                levels: 0,
            };
        }
        begins
    }

    /// A packet came.
    fn packet(&mut self, packet: T) {
        if let Self::Recording { packets, .. } = self
            && packets.len() < SAMPLE_PACKETS
        {
            packets.push(packet);
        }
    }

    /// A tenth of a second went by. Answers the sample when it is whole; it is played then.
    fn level(&mut self) -> Option<Vec<T>> {
        let Self::Recording { levels, .. } = self else {
            return None;
        };
        *levels += 1;
        if *levels < SAMPLE_LEVELS {
            return None;
        }
        match std::mem::replace(self, Self::Playing) {
            Self::Recording { packets, .. } => Some(packets),
            _ => None,
        }
    }

    /// The microphone is gone, or another: half a sentence isn't played. Answers whether there
    /// was one.
    fn break_off(&mut self) -> bool {
        let recording = matches!(self, Self::Recording { .. });
        if recording {
            *self = Self::None;
        }
        recording
    }
}

struct Task<F> {
    publisher: Publisher,
    played: Played,
    speaker: Output,
    sample: Sample<Encoded>,
    playing: Option<Playing>,
    /// Whoever plays says by it when it has ended.
    inputs: mpsc::Sender<Input>,
    tell: F,
}

impl<F: Fn(CheckEvent) + Send + 'static> Task<F> {
    async fn run(
        mut self,
        mut queue: mpsc::Receiver<Input>,
        sounds: Arc<Sounds>,
        taken: Taken,
        mut stopped: oneshot::Receiver<()>,
    ) {
        self.opening(&sounds, &taken.microphone);
        let mut changes = sounds.changes(taken);
        let inputs = self.inputs.clone();
        let following = tokio::spawn(async move {
            loop {
                let (before, now) = changes.next().await;
                if inputs.send(Input::Taken(before, now)).await.is_err() {
                    return;
                }
            }
        });
        loop {
            tokio::select! {
                Some(input) = queue.recv() => self.input(input, &sounds),
                _ = &mut stopped => break,
            }
        }
        following.abort();
        // Whoever plays mustn't wait to be heard.
        drop(queue);
        if let Some(playing) = self.playing.take() {
            playing.stop().await;
        }
        // A microphone may take its time to close.
        let publisher = self.publisher;
        let _ = spawn_blocking(move || publisher.stop()).await;
    }

    fn input(&mut self, input: Input, sounds: &Sounds) {
        match input {
            Input::Microphone(Event::Level { dbov, .. }) => {
                (self.tell)(CheckEvent::Level {
                    level: decibels(dbov),
                });
                if let Some(packets) = self.sample.level() {
                    self.publisher.wanted(false);
                    self.play(packets);
                }
            }
            Input::Microphone(Event::Started { .. } | Event::DeviceChanged { .. }) => {
                self.microphone(MicState::On);
            }
            Input::Microphone(Event::Stopped(error)) => {
                self.break_off();
                self.microphone((&error).into());
                sounds.look_again();
            }
            Input::Packet(packet) => self.sample.packet(packet),
            Input::Taken(before, now) => {
                if now.microphone != before.microphone {
                    self.break_off();
                    self.opening(sounds, &now.microphone);
                    self.publisher.source(now.microphone);
                }
                self.publisher.process(now.process);
                self.speaker = now.speaker;
            }
            Input::Sample => {
                if self.sample.begin() {
                    self.publisher.wanted(true);
                    self.sampling(SampleState::Recording);
                }
            }
            Input::Played => {
                self.playing = None;
                self.sample = Sample::None;
                self.sampling(SampleState::None);
            }
        }
    }

    fn opening(&self, sounds: &Sounds, microphone: &Choice) {
        self.microphone(if *microphone == Choice::None {
            sounds.without()
        } else {
            MicState::Starting
        });
    }

    fn play(&mut self, packets: Vec<Encoded>) {
        let inputs = self.inputs.clone();
        let over = move || drop(inputs.blocking_send(Input::Played));
        let pieces = play::pieces(packets);
        match play::play(self.speaker.clone(), self.played.clone(), pieces, over) {
            Ok(playing) => {
                self.playing = Some(playing);
                self.sampling(SampleState::Playing);
            }
            Err(error) => {
                tracing::warn!(%error, "a sample isn't played");
                self.sample = Sample::None;
                self.sampling(SampleState::None);
            }
        }
    }

    fn break_off(&mut self) {
        if self.sample.break_off() {
            self.publisher.wanted(false);
            self.sampling(SampleState::None);
        }
    }

    fn microphone(&self, state: MicState) {
        (self.tell)(CheckEvent::Microphone { state });
    }

    fn sampling(&self, state: SampleState) {
        (self.tell)(CheckEvent::Sample { state });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_whole_after_its_seconds_and_bounded() {
        let mut sample = Sample::None;
        sample.packet(0);
        assert_eq!(sample, Sample::None, "nothing is taken up unasked");
        assert!(sample.begin());
        assert!(!sample.begin(), "one at a time");
        for packet in 0..1000 {
            sample.packet(packet);
        }
        for _ in 1..SAMPLE_LEVELS {
            assert_eq!(sample.level(), None);
        }
        let whole = sample.level().unwrap();
        assert_eq!(whole, (0..SAMPLE_PACKETS).collect::<Vec<_>>());
        assert!(!sample.begin(), "not while it is played");
        assert_eq!(sample.level(), None);
        assert!(!sample.break_off(), "what is whole is played");
    }

    #[test]
    fn a_sample_of_a_microphone_that_is_gone_is_forgotten() {
        let mut sample = Sample::None;
        sample.begin();
        sample.packet(1);
        assert!(sample.break_off());
        assert!(sample.begin());
        assert_eq!(
            sample,
            Sample::Recording {
                packets: Vec::new(),
                levels: 0
            }
        );
    }
}
