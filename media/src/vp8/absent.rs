//! In libvpx's place on systems for which none is linked.

use visita_protocol::time::MediaTime;

use super::{Failure, encode};
use crate::picture::{BadSize, Picture};

/// Whether VP8 is there.
pub const AVAILABLE: bool = false;

/// libvpx's word for what it was built without.
const INCAPABLE: Failure = Failure(4);

/// Never there.
pub(super) enum Encoder {}

impl Encoder {
    pub(super) fn new(_: &encode::Config) -> Result<Self, Failure> {
        Err(INCAPABLE)
    }

    pub(super) fn set(&mut self, _: &encode::Config) -> Result<(), Failure> {
        match *self {}
    }

    pub(super) fn encode(
        &mut self,
        _: &Picture,
        _: encode::Turn,
        _: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        match *self {}
    }
}

/// Never there.
pub(super) enum Decoder {}

impl Decoder {
    pub(super) fn new() -> Result<Self, Failure> {
        Err(INCAPABLE)
    }

    pub(super) fn decode(&mut self, _: &[u8]) -> Result<(), Failure> {
        match *self {}
    }

    pub(super) fn picture(&mut self, _: MediaTime) -> Result<Option<Picture>, BadSize> {
        match *self {}
    }
}
