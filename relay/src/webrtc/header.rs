//! A frame's header in RTP: an extension on each of its packets, where the other side takes it.

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};
use visita_protocol::{frame::Header, webrtc::HEADER};

/// The number that the extension has in our own offers and answers; others' may have another.
pub(super) const NUMBER: u8 = 12;

/// What a packet says of its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated(pub(super) Header);

/// The extension.
pub(super) fn extension() -> Extension {
    Extension::with_serializer(HEADER, Serializer)
}

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(Stated(header)) = values.user_values.get::<Stated>() else {
            return 0;
        };
        let Some(mut place) = buffer.get_mut(..header.len()) else {
            return 0;
        };
        header.write(&mut place);
        header.len()
    }

    fn parse_value(&self, buffer: &[u8], values: &mut ExtensionValues) -> bool {
        let Ok((header, _)) = Header::parse(buffer) else {
            return false;
        };
        values.user_values.set(Stated(header));
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        true
    }

    /// It has more than 16 bytes; what lacks it is written as usual.
    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        values.user_values.get::<Stated>().is_some()
    }
}
