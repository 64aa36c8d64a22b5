//! What carries a session: whatever moves packets, and frames perhaps, to one participant.

use visita_protocol::time::Now;

use crate::{tap::Tap, ws::Link};

/// A connection as its session sees it. What there is to send waits in the tap; the carrier takes
/// it from there when it can.
pub(crate) trait Carrier: Send + Sync {
    /// Where its messages come from.
    fn tap(&self) -> &Tap;

    /// Something may wait in the tap. Never waits itself.
    fn flush(&self, now: Now);

    /// Which of them it is.
    fn kind(&self) -> Kind;

    /// Whether it takes bytes as well as text: frames and what is compressed. Who can't isn't
    /// offered any.
    fn takes_bytes(&self) -> bool {
        self.kind() == Kind::Ws
    }
}

/// What there is for a session's control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A WebSocket.
    Ws,
    /// Plain requests.
    Https,
    /// The channel of a lane, beside which frames go by the lane itself.
    Webrtc,
}

impl Kind {
    /// As metrics have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Ws => "ws",
            Kind::Https => "https",
            Kind::Webrtc => "webrtc",
        }
    }
}

/// The connection of a participant.
pub(crate) type MemberLink = dyn Carrier;

impl Carrier for Link<Tap> {
    fn tap(&self) -> &Tap {
        self.queue()
    }

    fn flush(&self, now: Now) {
        Link::flush(self, now);
    }

    fn kind(&self) -> Kind {
        Kind::Ws
    }
}
