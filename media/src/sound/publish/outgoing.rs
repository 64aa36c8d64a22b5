//! From blocks to packets: processing, levels, the gate, the encoder. It opens no device, and the
//! time of a block is told.

use std::sync::Mutex;

use bytes::Bytes;
use visita_protocol::{
    red::{self, Repeater},
    sound::{Level, Meter},
    time::MediaTime,
};

use super::{Encoded, Event, Gate, Sent, lock};
use crate::{
    clock,
    sound::{
        BLOCK, FRAME, RATE,
        level::{self, Talking, Voice, dbfs},
        opus::{self, Encoder, is_silence},
        played::Played,
        process::Processor,
    },
};

/// After a microphone is unmuted, so much is left out: devices tell when sound was captured to some
/// milliseconds only, and the resampler holds a little of before. (The processing is flushed.)
pub(super) const GUARD_US: u64 = 30_000;
/// Levels are told ten times a second.
const LEVEL_FRAMES: u32 = 5;

/// The way of sound out.
pub(super) struct Outgoing {
    played: Played,
    /// How long after it was put there what is played is heard, as it was last told.
    played_delay_us: u64,
    /// `None` while the processing is off.
    processor: Option<Processor>,
    encoder: Encoder,
    /// What a frame may take in all, in bits a second.
    bitrate: u32,
    loss_percent: u32,
    /// How many packets a frame repeats.
    copies: usize,
    repeater: Repeater,
    /// How much later than it was captured sound comes out of the encoder.
    look_ahead_us: u64,
    frame: Vec<f32>,
    frame_time: MediaTime,
    meter: Meter,
    voice: Voice,
    talking: Talking,
    loudest: f32,
    metered: u32,
    sequence: u32,
    /// When the gate was opened, as far as was seen; `None` while it is shut.
    opened: Option<MediaTime>,
    /// How often it was said that this silence began.
    silences: usize,
    spent_us: u64,
}

impl Outgoing {
    pub(super) fn new(played: Played, process: bool, bitrate: u32) -> Result<Self, opus::Error> {
        let mut encoder = Encoder::new(bitrate)?;
        let look_ahead = encoder.look_ahead()? as u64;
        Ok(Self {
            played,
            played_delay_us: 0,
            processor: process.then(Processor::new),
            encoder,
            bitrate,
            loss_percent: 0,
            copies: 0,
            repeater: Repeater::new(),
            look_ahead_us: look_ahead * 1_000_000 / u64::from(RATE),
            frame: Vec::with_capacity(FRAME),
            frame_time: MediaTime(0),
            meter: Meter::new(),
            voice: Voice::new(),
            talking: Talking::new(),
            loudest: level::SILENCE,
            metered: 0,
            sequence: 0,
            opened: None,
            silences: 0,
            spent_us: 0,
        })
    }

    pub(super) fn process(&mut self, process: bool) {
        if process != self.processor.is_some() {
            self.processor = process.then(Processor::new);
        }
    }

    /// What a frame may take in all from now on, and how many of a hundred get lost: both decide how
    /// many packets it repeats, and what is left for its own.
    pub(super) fn line(&mut self, bits: u32, loss_percent: u32) {
        let bits = bits.clamp(*opus::BITRATES.start(), *opus::BITRATES.end());
        if (bits, loss_percent) == (self.bitrate, self.loss_percent) {
            return;
        }
        (self.bitrate, self.loss_percent) = (bits, loss_percent);
        self.copies = red::copies(self.copies, loss_percent, bits);
        let primary = red::primary_bits(bits, self.copies);
        // Where there are no bits for a whole packet, a coarse one within the next is better than
        // none; besides repeated ones it costs more than it brings (docs/PERFORMANCE.md).
        let coarse = if self.copies == 0 { loss_percent } else { 0 };
        let followed = self.encoder.bitrate(primary);
        if let Err(error) = followed.and_then(|()| self.encoder.loss(coarse)) {
            tracing::debug!(%error, "the encoder doesn't follow the line");
        }
    }

    /// Another source begins: nothing of the one before is left.
    pub(super) fn another_source(&mut self) {
        self.frame.clear();
        self.voice = Voice::new();
        self.talking = Talking::new();
    }

    /// A block that was captured at this time.
    pub(super) fn block(
        &mut self,
        mut block: [f32; BLOCK],
        time: MediaTime,
        gate: &Mutex<Gate>,
        sent: &Mutex<Sent>,
        on_event: &mut dyn FnMut(Event),
    ) {
        let begin = clock::now();
        while let Some((played, delay_us)) = self.played.take() {
            self.played_delay_us = delay_us;
            if let Some(processor) = &mut self.processor {
                processor.played(&played);
            }
        }
        if let Some(processor) = &mut self.processor {
            let since = begin.0.saturating_sub(time.0);
            processor.captured(&mut block, self.played_delay_us + since);
        }
        if self.frame.is_empty() {
            self.frame_time = time;
        }
        self.frame.extend(block);
        if self.frame.len() < FRAME {
            self.spent_us = clock::now().0.saturating_sub(begin.0);
            return;
        }
        let mut frame = [0.0; FRAME];
        frame.copy_from_slice(&self.frame[..FRAME]);
        self.frame.clear();
        let dbov = dbfs(&frame);
        let voice = self.voice.frame(dbov);
        let told = self.meter.frame(dbov, voice);
        let muted = self.pass(&frame, told, gate, sent);
        let spent = self.spent_us + clock::now().0.saturating_sub(begin.0);
        lock(sent).encode_us.add(spent);
        self.tell(dbov, voice, muted, on_event);
    }

    /// Encodes a frame and lets it leave, unless the gate is shut. Answers whether it is muted.
    fn pass(
        &mut self,
        frame: &[f32; FRAME],
        told: Level,
        gate: &Mutex<Gate>,
        sent: &Mutex<Sent>,
    ) -> bool {
        let mut gate = lock(gate);
        if !gate.open() {
            self.opened = None;
            return gate.muted;
        }
        if self.opened != Some(gate.opened) {
            self.opened = Some(gate.opened);
            self.silences = 0;
            self.repeater.forget();
            if let Some(processor) = &mut self.processor {
                processor.flush();
            }
            if let Err(error) = self.encoder.reset() {
                tracing::warn!(%error, "the encoder isn't reset, and nothing is sent");
                self.opened = None;
                return gate.muted;
            }
        }
        if self.frame_time.0 < gate.opened.0.saturating_add(GUARD_US) {
            return gate.muted;
        }
        let packet = match self.encoder.encode(frame) {
            Ok(packet) => packet,
            Err(error) => {
                tracing::warn!(%error, "a frame isn't encoded");
                return gate.muted;
            }
        };
        let packet = Bytes::copy_from_slice(packet);
        let mut sent = lock(sent);
        if is_silence(&packet) {
            // What is lost of it, or right before it, is repeated as all else is.
            if self.silences > self.copies {
                sent.silent += 1;
                return gate.muted;
            }
            self.silences += 1;
        } else {
            self.silences = 0;
        }
        let processing = if self.processor.is_some() {
            Processor::DELAY_US
        } else {
            0
        };
        let late = self.look_ahead_us + processing;
        let time = MediaTime(self.frame_time.0.saturating_sub(late));
        let payload = self.repeater.payload(time, packet, self.copies);
        sent.frames += 1;
        sent.bytes += payload.len() as u64;
        drop(sent);
        let encoded = Encoded {
            sequence: self.sequence,
            time,
            level: told,
            payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        (gate.on_encoded)(encoded);
        gate.muted
    }

    fn tell(&mut self, dbov: f32, voice: bool, muted: bool, on_event: &mut dyn FnMut(Event)) {
        let talks = self.talking.frame(voice);
        self.loudest = self.loudest.max(dbov);
        self.metered += 1;
        if self.metered < LEVEL_FRAMES {
            return;
        }
        self.metered = 0;
        on_event(Event::Level {
            dbov: std::mem::replace(&mut self.loudest, level::SILENCE),
            talking_while_muted: muted && talks,
        });
    }
}
