//! Frames into RTP and out of it.

use std::sync::Arc;

use bytes::Bytes;
use str0m::{
    format::Codec as Format,
    media::{Frequency, MediaData, MediaTime, Rid},
};
use visita_protocol::{
    chunk::Chunks,
    frame::{Header, MAX_LAYER},
    id::TrackId,
    media::Codec,
    sealed::dress::dress,
    time::Now,
};

use super::{
    super::{
        again::Written,
        header::Stated,
        slots::Pair,
        timeline::{Outgoing, Report, said},
    },
    Came, Inner,
};
use crate::{clock, fine::Coding, seat::Whole};

impl Came {
    /// The same, as one of this track.
    pub(super) fn whole(&self, track: TrackId) -> Whole<'_> {
        Whole {
            track,
            layer: self.layer,
            key: self.key,
            contiguous: self.contiguous,
            numbers: (self.first, self.last),
            timestamp: self.timestamp,
            level: self.level,
            stated: self.stated.as_ref(),
            payload: &self.payload,
        }
    }
}

impl Inner {
    /// A frame that came; `None` if it is of a codec that isn't known here.
    pub(super) fn came(&mut self, data: &MediaData) -> Option<Came> {
        let spec = data.params.spec();
        let codec = match spec.codec {
            Format::Opus => Codec::Opus,
            Format::H264 => Codec::H264,
            Format::Vp8 => Codec::Vp8,
            _ => return None,
        };
        let sound = codec == Codec::Opus;
        let layer = layer(data.rid)?;
        if !sound {
            self.picture = Some(data.mid);
            if !self.layers.contains(&data.rid) {
                self.layers.push(data.rid);
            }
        }
        let report = data.last_sender_info.map(|info| Report {
            wall: info
                .ntp_time
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default(),
            rtp: info.rtp_time.numer(),
        });
        let arrived = data.network_time.saturating_duration_since(self.began);
        let timestamp = self.incoming.frame(
            if sound { 0 } else { 1 + usize::from(layer) },
            data.time.denom(),
            data.time.numer(),
            arrived,
            report,
        );
        // Held back as senders of our own do: what a browser says of each 20 ms stays here.
        let level = sound.then(|| {
            let dbov = data.ext_vals.audio_level.map_or(-127.0, f32::from);
            let voice = data.ext_vals.voice_activity.unwrap_or(false);
            self.meter.frame(dbov, voice)
        });
        Some(Came {
            codec,
            layer,
            key: sound || data.is_keyframe(),
            contiguous: data.contiguous,
            first: **data.seq_range.start(),
            last: **data.seq_range.end(),
            timestamp,
            level,
            stated: data
                .ext_vals
                .user_values
                .get()
                .map(|Stated(header)| *header),
            payload: data.data.clone(),
        })
    }

    /// Sends a frame in its sender's slot; false if RTP doesn't carry it there.
    pub(super) fn by_rtp(
        &mut self,
        now: Now,
        header: &Header,
        coding: Coding,
        pair: Pair,
        chunks: &Chunks<Bytes>,
    ) -> bool {
        let (mid, format, rate) = match coding.codec {
            Codec::Opus => (pair.sound, Format::Opus, Frequency::FORTY_EIGHT_KHZ),
            Codec::H264 => (pair.picture, Format::H264, Frequency::NINETY_KHZ),
            Codec::Vp8 => (pair.picture, Format::Vp8, Frequency::NINETY_KHZ),
            Codec::Jpeg | Codec::Unknown => return false,
        };
        let Some(writer) = self.rtc.writer(mid) else {
            return false;
        };
        // What the other side took, not what we would.
        let fits = |spec: str0m::format::CodecSpec| {
            spec.codec == format && spec.format.packetization_mode != Some(0)
        };
        let params = writer.payload_params().find(|params| fits(params.spec()));
        let Some(pt) = params.map(str0m::format::PayloadParams::pt) else {
            return false;
        };
        let payload = payload(coding, header, chunks);
        let bytes = payload.len();
        let known = self.outgoing.iter().position(|(m, _)| *m == header.sender);
        let at = known.unwrap_or_else(|| {
            self.outgoing.push((header.sender, Outgoing::default()));
            self.outgoing.len() - 1
        });
        let outgoing = &mut self.outgoing[at].1;
        let captured_us = outgoing.at(header.timestamp.0, now.0);
        let captured_us = if coding.codec == Codec::Opus {
            captured_us
        } else {
            outgoing.after_the_last(captured_us)
        };
        let (captured, time) = said(clock::instant(Now(captured_us)), self.began);
        let time = MediaTime::from(time).rebase(rate);
        let writer = match header.level {
            Some(level) => writer.audio_level(level.dbov() as i8, level.voice()),
            None => writer,
        };
        let header = Header {
            chunk: 0,
            chunks: 1,
            ..*header
        };
        let writer = if self.headers {
            if coding.codec == Codec::Opus {
                self.again.written(Written {
                    header,
                    mid,
                    pt,
                    captured,
                    time,
                    payload: payload.clone(),
                });
            }
            writer.user_extension_value(Stated(header))
        } else {
            writer
        };
        let written = writer.write(pt, captured, time, payload);
        if coding.codec != Codec::Opus {
            self.budget.spend(bytes);
        }
        written.is_ok()
    }
}

/// Which spatial layer comes under this name: its number, if it has one.
fn layer(rid: Option<Rid>) -> Option<u8> {
    let Some(rid) = rid else {
        return Some(0);
    };
    rid.parse().ok().filter(|layer| *layer <= MAX_LAYER)
}

/// A frame's payload in one piece, with what RTP must see of one that is sealed.
fn payload(coding: Coding, header: &Header, chunks: &Chunks<Bytes>) -> Arc<[u8]> {
    let part = |chunk: &Bytes| {
        let start = chunk.get(1).map_or(0, |length| usize::from(*length));
        chunk.slice(start.min(chunk.len())..)
    };
    let whole = match chunks.as_slice() {
        [one] => part(one),
        many => many.iter().map(part).collect::<Vec<_>>().concat().into(),
    };
    if !coding.sealed {
        return Arc::from(&*whole);
    }
    match dress(coding.codec, header.references.is_key(), &whole) {
        Ok(dressed) => Arc::from(&*dressed),
        Err(_) => Arc::from(&*whole),
    }
}
