//! What does as the plan says: decoder, stretching and what lies ready.

use std::collections::VecDeque;

use bytes::Bytes;
use visita_protocol::{
    red::{self, Numbered, Packets},
    time::MediaTime,
};

use super::plan::{Decision, Kept, Packet, Plan};
use crate::sound::{BLOCK, FRAME, opus, stretch};

/// Two places must be this much alike for a piece to be taken out or put in (libwebrtc's
/// `kCorrelationThreshold`)…
const ALIKE: f32 = 0.9;
/// …and for each time that none were, a little less: what must be caught up with must be.
const LESS_ALIKE: f32 = 0.15;
/// What is made up while nothing comes is heard for so many blocks, then fades…
const HOLD_WHOLE: u32 = 6;
/// …over so many: a syllable is 200 ms, and a tone that stands longer is worse than silence.
const HOLD_FADES: u32 = 14;
/// How fast sound comes back after it faded, for each sample: 5 ms from silence to whole.
const COMES_BACK: f32 = 1.0 / 240.0;

/// What was counted besides what the plan counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets decoded.
    pub decoded: u64,
    /// Packets that weren't Opus of 20 ms.
    pub broken: u64,
    /// Samples taken out and put in.
    pub stretched: u64,
    /// The plan's.
    pub plan: super::plan::Counts,
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Sound, or what stands for it. Its first sample was captured at this time on the sender's
    /// clock, where that is known.
    Sound(Option<u64>),
    /// There is nobody, and the block is silent.
    Nobody,
}

/// One sender's jitter buffer.
pub struct Buffer {
    plan: Plan<Bytes>,
    decoder: opus::Decoder,
    ready: VecDeque<f32>,
    /// What was played last, for pieces to be put in.
    played: Vec<f32>,
    unlike: u32,
    held_blocks: u32,
    gain: f32,
    counts: Counts,
}

impl Buffer {
    /// Of a sender nobody has heard yet.
    pub fn new() -> Result<Self, opus::Error> {
        Ok(Self {
            plan: Plan::new(),
            decoder: opus::Decoder::new()?,
            ready: VecDeque::with_capacity(4 * FRAME),
            played: vec![0.0; stretch::HISTORY],
            unlike: 0,
            held_blocks: 0,
            gain: 1.0,
            counts: Counts::default(),
        })
    }

    /// A frame's payload came, at this time on the receiver's clock in microseconds: a packet, and
    /// what it repeats of those before it.
    pub fn packet(&mut self, sequence: u32, time: u64, payload: Bytes, arrival: u64) -> Kept {
        let mut payload = payload;
        // What can't be read is taken for a packet, and is none to the decoder either.
        if red::is_redundant(&payload)
            && let Ok(packets) = Packets::read(&payload)
        {
            for older in packets.numbered(sequence, MediaTime(time)) {
                self.plan.copy(waiting(older), arrival);
            }
            payload = packets.primary;
        }
        let packet = waiting(Numbered {
            sequence,
            time: MediaTime(time),
            packet: payload,
        });
        self.plan.packet(packet, arrival)
    }

    /// The next 10 ms.
    pub fn block(&mut self, now: u64, out: &mut [f32; BLOCK]) -> Heard {
        // Each turn adds at least a block to what lies ready, so it ends.
        loop {
            match self.plan.decide(now, ahead(self.ready.len())) {
                Decision::Decode(packet) => self.decode(&packet.payload, false),
                Decision::Repair(packet) => self.decode(&packet.payload, true),
                Decision::Conceal => self.make_up(FRAME),
                Decision::Play => break,
                Decision::Accelerate => {
                    let alike = self.alike();
                    let gone = stretch::take_out(&mut self.ready, alike);
                    self.stretched(gone);
                    break;
                }
                Decision::Expand => {
                    let alike = self.alike();
                    let more = stretch::put_in(&self.played, &mut self.ready, alike);
                    self.stretched(more);
                    break;
                }
                Decision::Hold => {
                    self.hold();
                    break;
                }
                Decision::Silence => {
                    self.make_up(BLOCK);
                    break;
                }
                Decision::Nothing => {
                    self.end(out);
                    return Heard::Nobody;
                }
            }
        }
        let time = self.plan.playing(ahead(self.ready.len()));
        self.play(out);
        Heard::Sound(time)
    }

    fn alike(&self) -> f32 {
        ALIKE - LESS_ALIKE * self.unlike as f32
    }

    fn stretched(&mut self, samples: usize) {
        self.counts.stretched += samples as u64;
        self.unlike = if samples == 0 { self.unlike + 1 } else { 0 };
    }

    fn decode(&mut self, payload: &[u8], before: bool) {
        let mut frame = [0.0; FRAME];
        let decoded = if before {
            self.decoder.repair(payload, &mut frame)
        } else {
            self.decoder.decode(payload, &mut frame)
        };
        match decoded {
            Ok(()) => {
                self.counts.decoded += u64::from(!before);
                self.held_blocks = 0;
                self.come_back(&mut frame);
                self.ready.extend(frame);
            }
            Err(error) => {
                tracing::debug!(%error, "a packet can't be decoded");
                self.counts.broken += u64::from(!before);
                self.make_up(FRAME);
            }
        }
    }

    /// Sound after a hole that had faded doesn't begin with a click.
    fn come_back(&mut self, frame: &mut [f32]) {
        for sample in frame {
            *sample *= self.gain;
            self.gain = (self.gain + COMES_BACK).min(1.0);
        }
    }

    fn make_up(&mut self, samples: usize) {
        let mut frame = [0.0; FRAME];
        let frame = &mut frame[..samples];
        if let Err(error) = self.decoder.conceal(frame) {
            tracing::debug!(%error, "nothing can be made up");
            frame.fill(0.0);
        }
        self.ready
            .extend(frame.iter().map(|sample| sample * self.gain));
    }

    fn hold(&mut self) {
        let mut block = [0.0; BLOCK];
        if self.decoder.conceal(&mut block).is_err() {
            block.fill(0.0);
        }
        let fading = self.held_blocks.saturating_sub(HOLD_WHOLE) as f32;
        let aim = (1.0 - fading / HOLD_FADES as f32).clamp(0.0, 1.0);
        let step = (aim - self.gain).min(0.0) / BLOCK as f32;
        for sample in &mut block {
            *sample *= self.gain;
            self.gain = (self.gain + step).max(0.0);
        }
        self.held_blocks = self.held_blocks.saturating_add(1);
        self.ready.extend(block);
    }

    fn play(&mut self, out: &mut [f32; BLOCK]) {
        for sample in out.iter_mut() {
            *sample = self.ready.pop_front().unwrap_or_default();
        }
        self.played.drain(..BLOCK);
        self.played.extend(out.iter());
    }

    /// What still lies ready fades out.
    fn end(&mut self, out: &mut [f32; BLOCK]) {
        for (at, sample) in out.iter_mut().enumerate() {
            let share = 1.0 - at as f32 / BLOCK as f32;
            *sample = self.ready.pop_front().unwrap_or_default() * share;
        }
        self.ready.clear();
        self.gain = 0.0;
    }

    /// How late it aims to play, in microseconds.
    pub fn target(&self) -> u64 {
        self.plan.target()
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        Counts {
            plan: self.plan.counts(),
            ..self.counts
        }
    }
}

fn waiting(numbered: Numbered) -> Packet<Bytes> {
    Packet {
        sequence: numbered.sequence,
        time: numbered.time.0,
        silence: opus::is_silence(&numbered.packet),
        payload: numbered.packet,
    }
}

/// Samples in microseconds.
fn ahead(samples: usize) -> u64 {
    samples as u64 * 125 / 6
}

#[cfg(test)]
mod tests;
