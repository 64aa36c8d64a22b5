//! Opus (RFC 6716): mono at 48 kHz, 20 ms a packet, for speech.

use opus::{Application, Bitrate, Channels, ErrorCode};

use super::{FRAME, RATE, level::dbfs};

/// The bitrates used, in bits a second: below 12 kbit/s speech loses its consonants, above 40 a
/// mono voice gains nothing.
pub const BITRATES: std::ops::RangeInclusive<u32> = 12_000..=40_000;
/// The usual one: full band for a mono voice (opus-codec.org's recommended settings).
pub const BITRATE: u32 = 28_000;
/// The codec's effort, of 10: the knee between quality and a tablet's processor.
const COMPLEXITY: i32 = 5;
/// The largest packet of one frame (RFC 6716, section 3.4).
const MOST_BYTES: usize = 1275;
/// A packet no longer than this holds no sound: silence begins (`opus_encode`'s documentation).
const SILENCE_BYTES: usize = 2;
/// Softer than this (in dBFS) a frame may be left out as silence. The codec takes a steady tone for
/// noise after a while, and an alarm must be heard however steady it is.
const QUIET: f32 = -50.0;
/// The losses that the encoder is told, in percent: beyond it, redundancy crowds out speech.
const MOST_LOSS: u32 = 30;

/// What can't be encoded or decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It isn't 20 ms long.
    #[error("not a packet of 20 ms")]
    Length,
    /// It isn't Opus.
    #[error("not an Opus packet")]
    Garbage,
    /// The codec failed by itself.
    #[error("the Opus codec failed: {0}")]
    Codec(&'static str),
}

impl From<opus::Error> for Error {
    fn from(error: opus::Error) -> Self {
        match error.code() {
            ErrorCode::InvalidPacket => Self::Garbage,
            ErrorCode::BufferTooSmall => Self::Length,
            _ => Self::Codec(error.description()),
        }
    }
}

/// Whether a packet says that silence begins.
pub fn is_silence(packet: &[u8]) -> bool {
    packet.len() <= SILENCE_BYTES
}

/// Makes packets.
pub struct Encoder {
    codec: opus::Encoder,
    bitrate: u32,
    loss_percent: u32,
    quiet: bool,
    packet: [u8; MOST_BYTES],
}

impl Encoder {
    /// With variable bitrate, forward error correction and discontinuous transmission.
    pub fn new(bitrate: u32) -> Result<Self, Error> {
        let mut codec = opus::Encoder::new(RATE, Channels::Mono, Application::Voip)?;
        codec.set_complexity(COMPLEXITY)?;
        codec.set_vbr(true)?;
        codec.set_inband_fec(true)?;
        codec.set_dtx(true)?;
        let mut encoder = Self {
            codec,
            bitrate: 0,
            loss_percent: 0,
            quiet: true,
            packet: [0; MOST_BYTES],
        };
        encoder.bitrate(bitrate)?;
        Ok(encoder)
    }

    /// Aims at this many bits a second, within [`BITRATES`].
    pub fn bitrate(&mut self, bits: u32) -> Result<(), Error> {
        let bits = bits.clamp(*BITRATES.start(), *BITRATES.end());
        if bits != self.bitrate {
            self.codec.set_bitrate(Bitrate::Bits(bits as i32))?;
            self.bitrate = bits;
        }
        Ok(())
    }

    /// Expects that so many packets of a hundred get lost.
    pub fn loss(&mut self, percent: u32) -> Result<(), Error> {
        let percent = percent.min(MOST_LOSS);
        if percent != self.loss_percent {
            self.codec.set_packet_loss_perc(percent as i32)?;
            self.loss_percent = percent;
        }
        Ok(())
    }

    /// Encodes 20 ms; after a while of silence the packets hold none ([`is_silence`]). Samples beyond full scale are limited by the codec; what isn't a number is
    /// silence.
    pub fn encode(&mut self, frame: &[f32; FRAME]) -> Result<&[u8], Error> {
        let mut clean = *frame;
        for sample in &mut clean {
            if !sample.is_finite() {
                *sample = 0.0;
            }
        }
        let quiet = dbfs(&clean) < QUIET;
        if quiet != self.quiet {
            self.codec.set_dtx(quiet)?;
            self.quiet = quiet;
        }
        let len = self.codec.encode_float(&clean, &mut self.packet)?;
        Ok(&self.packet[..len])
    }

    /// By how much decoded sound comes after what was encoded, in samples.
    pub fn look_ahead(&mut self) -> Result<usize, Error> {
        Ok(self.codec.get_lookahead()? as usize)
    }

    /// Forgets all sound that it still holds.
    pub fn reset(&mut self) -> Result<(), Error> {
        Ok(self.codec.reset_state()?)
    }
}

/// Makes sound of packets.
pub struct Decoder(opus::Decoder);

impl Decoder {
    /// That has heard nothing.
    pub fn new() -> Result<Self, Error> {
        Ok(Self(opus::Decoder::new(RATE, Channels::Mono)?))
    }

    /// Decodes a packet of 20 ms.
    pub fn decode(&mut self, packet: &[u8], out: &mut [f32; FRAME]) -> Result<(), Error> {
        self.whole(packet, out, false)
    }

    /// Decodes what a packet knows of the one before it, which is lost; where it knows nothing it
    /// is made up.
    pub fn repair(&mut self, next: &[u8], out: &mut [f32; FRAME]) -> Result<(), Error> {
        self.whole(next, out, true)
    }

    fn whole(&mut self, packet: &[u8], out: &mut [f32; FRAME], before: bool) -> Result<(), Error> {
        // An empty packet would ask the codec to make something up.
        if packet.is_empty() {
            return Err(Error::Garbage);
        }
        if self.0.get_nb_samples(packet)? != FRAME {
            return Err(Error::Length);
        }
        if self.0.decode_float(packet, out, before)? != FRAME {
            return Err(Error::Length);
        }
        Ok(())
    }

    /// Makes up what is missing, in multiples of 2.5 ms; it fades by itself when it goes on, down
    /// to the noise there was.
    pub fn conceal(&mut self, out: &mut [f32]) -> Result<(), Error> {
        self.0.decode_float(&[], out, false)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
