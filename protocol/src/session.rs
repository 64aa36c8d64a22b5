//! Numbered messages that arrive once and in order, whatever happens to the connection.
//!
//! Both sides keep one [`Session`] for as long as the session lives. Each numbers what it sends
//! from 1, keeps it until the other acknowledges it, and takes the other's messages strictly in
//! order. When a new connection resumes the session, each says the last number that it received,
//! and the other sends all later ones again.

use std::{collections::VecDeque, time::Duration};

use crate::{error::Code, time::Now};

/// The most messages that wait for an acknowledgement: a member that is away for the grace time
/// (30 s) in a lively room misses a few dozen. Whoever misses more is told anew how things are
/// ([`Session::let_go`]): going on would only take memory.
pub const MAX_UNACKNOWLEDGED: usize = 1024;

/// The most bytes that those messages have: a long time's chat, far from what hurts a relay with
/// many sessions.
pub const MAX_UNACKNOWLEDGED_BYTES: usize = 1 << 20;

/// How often a side acknowledges at the latest: after this many messages received without one
/// of its own sent, it sends an `ack` alone. Far below [`MAX_UNACKNOWLEDGED`].
pub const ACK_EVERY: u64 = 16;

/// Messages, and bytes of them, beyond those limits for telling how things are to one who may not have
/// got all that is kept for it: else it could never be told.
const TOLD: usize = 32;
const TOLD_BYTES: usize = 192 * 1024;

/// Too many messages, or bytes of them, wait for an acknowledgement. The session is over, or
/// [lets go](Session::let_go).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the other side leaves {MAX_UNACKNOWLEDGED} messages or {MAX_UNACKNOWLEDGED_BYTES} bytes unacknowledged"
)]
pub struct Overflow;

/// What the other side did wrong. The session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A message's number isn't the next one.
    #[error("message {got} came where {expected} is next")]
    Gap {
        /// The number that would be right.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// An acknowledgement of what was never sent.
    #[error("{ack} acknowledged, but only {sent} sent")]
    AckAhead {
        /// What was acknowledged.
        ack: u64,
        /// The last number sent.
        sent: u64,
    },
    /// The other side wants again what it has acknowledged before.
    #[error("everything up to {acked} was acknowledged, now only {received} received")]
    Forgotten {
        /// What it says now.
        received: u64,
        /// What it said before.
        acked: u64,
    },
}

impl Error {
    /// The code that tells the other side.
    pub fn code(self) -> Code {
        match self {
            Error::Gap { .. } | Error::AckAhead { .. } => Code::OutOfTurn,
            Error::Forgotten { .. } => Code::SessionGone,
        }
    }
}

/// What to do with a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Accept {
    /// Handle it.
    New,
    /// It was handled before: leave it, and acknowledge again.
    Duplicate,
}

/// One side of a session's numbered messages.
#[derive(Clone, Debug)]
pub struct Session<M> {
    /// Sent and not acknowledged, oldest first; the last has the number `sent`.
    unacknowledged: VecDeque<(M, usize)>,
    /// The bytes of all of these, as far as they were told.
    bytes: usize,
    /// The last number sent.
    sent: u64,
    /// The last number received in order.
    received: u64,
    /// The last number that the other side was told we received.
    told: u64,
    /// What was numbered after this was never sent: there was no connection.
    lost: Option<u64>,
    /// Messages were let go.
    behind: bool,
    /// It is told how things are, before it has acknowledged what waits for it.
    catching_up: bool,
}

impl<M> Default for Session<M> {
    fn default() -> Self {
        Self {
            unacknowledged: VecDeque::new(),
            bytes: 0,
            sent: 0,
            received: 0,
            told: 0,
            lost: None,
            behind: false,
            catching_up: false,
        }
    }
}

impl<M: Clone> Session<M> {
    /// A session in which nothing was sent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Numbers a message and keeps it until it is acknowledged. The message goes out with this
    /// number and [`Session::received`] as its `ack`; call [`Session::told`] when it does.
    pub fn send(&mut self, body: M) -> Result<u64, Overflow> {
        self.send_sized(body, 0)
    }

    /// The same with a message of so many bytes, which are bounded too. One message is always taken,
    /// however large.
    pub fn send_sized(&mut self, body: M, bytes: usize) -> Result<u64, Overflow> {
        let (most_bytes, most) = if self.catching_up {
            (
                MAX_UNACKNOWLEDGED_BYTES + TOLD_BYTES,
                MAX_UNACKNOWLEDGED + TOLD,
            )
        } else {
            (MAX_UNACKNOWLEDGED_BYTES, MAX_UNACKNOWLEDGED)
        };
        let full = self.bytes > 0 && self.bytes + bytes > most_bytes;
        if full || self.behind || self.unacknowledged.len() >= most {
            return Err(Overflow);
        }
        self.bytes += bytes;
        self.unacknowledged.push_back((body, bytes));
        self.sent += 1;
        Ok(self.sent)
    }

    /// The connection is gone: what is numbered from now on, nobody was sent.
    pub fn lost(&mut self) {
        self.lost.get_or_insert(self.sent);
    }

    /// After an [`Overflow`]: nothing more is numbered until the other side resumes, and what it
    /// can't have got is forgotten. It must then be told how things are, because it wasn't told
    /// what happened. What it may have got stays as it was numbered.
    pub fn let_go(&mut self) {
        self.behind = true;
        let unsent = self.sent - self.lost.unwrap_or(self.sent);
        let kept = self.unacknowledged.len().saturating_sub(unsent as usize);
        let gone = self.unacknowledged.drain(kept..);
        self.sent -= gone.len() as u64;
        self.bytes -= gone.map(|(_, bytes)| bytes).sum::<usize>();
    }

    /// Whether messages were let go, and the other side hasn't resumed since.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// Takes a message's number and acknowledgement.
    pub fn accept(&mut self, n: u64, ack: u64) -> Result<Accept, Error> {
        self.acked(ack)?;
        if n == self.received + 1 {
            self.received = n;
            Ok(Accept::New)
        } else if (1..=self.received).contains(&n) {
            Ok(Accept::Duplicate)
        } else {
            Err(Error::Gap {
                expected: self.received + 1,
                got: n,
            })
        }
    }

    /// Takes an acknowledgement. One that says less than an earlier one changes nothing.
    pub fn acked(&mut self, ack: u64) -> Result<(), Error> {
        if ack > self.sent {
            return Err(Error::AckAhead {
                ack,
                sent: self.sent,
            });
        }
        let done = ack.saturating_sub(self.acknowledged()) as usize;
        let acknowledged = self.unacknowledged.drain(..done);
        self.bytes -= acknowledged.map(|(_, bytes)| bytes).sum::<usize>();
        self.catching_up &= self.bytes > MAX_UNACKNOWLEDGED_BYTES / 2
            || self.unacknowledged.len() > MAX_UNACKNOWLEDGED / 2;
        Ok(())
    }

    /// The last number received in order: the `ack` of whatever is sent now.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The last number sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// How many messages wait for an acknowledgement.
    pub fn unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Notes that the other side was just told [`Session::received`].
    pub fn told(&mut self) {
        self.told = self.received;
    }

    /// Whether so much was received without saying so that an `ack` alone is due.
    pub fn ack_is_due(&self) -> bool {
        self.received - self.told >= ACK_EVERY
    }

    /// Whether anything was received that the other side wasn't told of.
    pub fn untold(&self) -> bool {
        self.received != self.told
    }

    /// A new connection goes on with the session, and the other side says what it received.
    /// Gives what it must be sent again, in order, before anything new. If the session
    /// [was behind](Session::is_behind), how things are follows.
    pub fn resume(
        &mut self,
        peer_received: u64,
    ) -> Result<impl Iterator<Item = (u64, M)> + use<M>, Error> {
        let again = self.again(peer_received)?;
        self.told();
        self.lost = None;
        self.catching_up = self.behind;
        self.behind = false;
        Ok(again)
    }

    /// The same on a connection that goes on: only what was on the way got lost.
    pub fn again(
        &mut self,
        peer_received: u64,
    ) -> Result<impl Iterator<Item = (u64, M)> + use<M>, Error> {
        if peer_received < self.acknowledged() {
            let acked = self.acknowledged();
            return Err(Error::Forgotten {
                received: peer_received,
                acked,
            });
        }
        self.acked(peer_received)?;
        let first = self.acknowledged() + 1;
        let again = self.unacknowledged.clone().into_iter();
        Ok((first..).zip(again.map(|(body, _)| body)))
    }

    /// The last number that the other side acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.sent - self.unacknowledged.len() as u64
    }
}

/// Whether a session has a connection, and if not, for how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifeline {
    /// A connection carries it.
    Connected,
    /// Its connection broke; it can be resumed until the grace time is over.
    Lost {
        /// When.
        since: Now,
    },
}

impl Lifeline {
    /// The connection broke. A session that is lost already stays lost since then.
    pub fn lost(&mut self, now: Now) {
        if *self == Lifeline::Connected {
            *self = Lifeline::Lost { since: now };
        }
    }

    /// A connection resumed the session.
    pub fn back(&mut self) {
        *self = Lifeline::Connected;
    }

    /// When the session is over if nobody resumes it; `None` while it has a connection.
    pub fn deadline(&self, grace: Duration) -> Option<Now> {
        match self {
            Lifeline::Connected => None,
            Lifeline::Lost { since } => Some(since.plus(grace)),
        }
    }

    /// Whether the grace time is over.
    pub fn expired(&self, now: Now, grace: Duration) -> bool {
        self.deadline(grace).is_some_and(|deadline| deadline <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_kept_until_acknowledged_and_sent_again_after_a_resume() {
        let mut session = Session::new();
        for body in ["a", "b", "c"] {
            session.send(body).unwrap();
        }
        session.acked(1).unwrap();
        assert_eq!(
            session.resume(1).unwrap().collect::<Vec<_>>(),
            [(2, "b"), (3, "c")]
        );
        assert_eq!(session.resume(3).unwrap().count(), 0);
        assert_eq!(session.send("d"), Ok(4));
        assert_eq!(session.unacknowledged(), 1);
        assert_eq!(
            session.resume(2).err(),
            Some(Error::Forgotten {
                received: 2,
                acked: 3
            })
        );
        assert_eq!(
            session.resume(5).err(),
            Some(Error::AckAhead { ack: 5, sent: 4 })
        );
    }

    #[test]
    fn duplicates_are_recognised_and_gaps_refused() {
        let mut session: Session<()> = Session::new();
        assert_eq!(session.accept(1, 0), Ok(Accept::New));
        assert_eq!(session.accept(1, 0), Ok(Accept::Duplicate));
        assert_eq!(
            session.accept(3, 0),
            Err(Error::Gap {
                expected: 2,
                got: 3
            })
        );
        assert_eq!(
            session.accept(0, 0),
            Err(Error::Gap {
                expected: 2,
                got: 0
            })
        );
        assert_eq!(
            session.accept(2, 1),
            Err(Error::AckAhead { ack: 1, sent: 0 })
        );
        assert_eq!(session.received(), 1);
        assert!(session.untold() && !session.ack_is_due());
    }

    #[test]
    fn an_other_side_that_never_acknowledges_ends_the_session() {
        let mut session = Session::new();
        for _ in 0..MAX_UNACKNOWLEDGED {
            session.send(()).unwrap();
        }
        assert_eq!(session.send(()), Err(Overflow));
        assert_eq!(session.unacknowledged(), MAX_UNACKNOWLEDGED);
    }

    #[test]
    fn a_session_that_lets_go_goes_on_after_what_may_have_arrived() {
        let mut session = Session::new();
        session.send('a').unwrap();
        session.send('b').unwrap();
        session.acked(1).unwrap();
        session.lost();
        while session.send('c').is_ok() {}
        session.lost();
        session.let_go();
        assert!(session.is_behind() && session.send('d').is_err());
        assert_eq!((session.sent(), session.unacknowledged()), (2, 1));
        assert_eq!(session.resume(1).unwrap().collect::<Vec<_>>(), [(2, 'b')]);
        assert!(!session.is_behind());
        assert_eq!(session.send('d'), Ok(3));

        // While it is connected anything may have arrived: all is kept as it was numbered.
        session.acked(3).unwrap();
        while session.send('e').is_ok() {}
        session.let_go();
        let sent = session.sent();
        assert_eq!(session.unacknowledged(), MAX_UNACKNOWLEDGED);
        assert!(session.send('f').is_err());
        session.acked(sent - 3).unwrap();
        assert!(session.send('f').is_err(), "it is behind all the same");
        assert_eq!(session.resume(sent - 1).unwrap().count(), 1);
        assert_eq!(session.send('f'), Ok(sent + 1));
    }

    #[test]
    fn one_that_may_have_got_nothing_of_all_that_is_kept_can_still_be_told_how_things_are() {
        let mut session = Session::new();
        while session.send('a').is_ok() {}
        session.let_go();
        assert_eq!(session.resume(0).unwrap().count(), MAX_UNACKNOWLEDGED);
        for _ in 0..TOLD {
            session.send('b').unwrap();
        }
        assert_eq!(session.send('c'), Err(Overflow));
        // Once it has caught up, it has no more than anybody.
        session.acked(session.sent()).unwrap();
        while session.send('d').is_ok() {}
        assert_eq!(session.unacknowledged(), MAX_UNACKNOWLEDGED);
    }

    #[test]
    fn a_lost_session_expires_after_its_grace() {
        let grace = Duration::from_secs(30);
        let mut line = Lifeline::Connected;
        assert!(!line.expired(Now(u64::MAX), grace));
        line.lost(Now(5));
        line.lost(Now(1_000_000));
        assert_eq!(line.deadline(grace), Some(Now(30_000_005)));
        assert!(!line.expired(Now(30_000_004), grace) && line.expired(Now(30_000_005), grace));
        line.back();
        assert!(!line.expired(Now(u64::MAX), grace));
    }

    #[test]
    fn bytes_are_bounded_too_and_acknowledging_makes_room() {
        let mut session = Session::new();
        let half = MAX_UNACKNOWLEDGED_BYTES / 2;
        assert_eq!(session.send_sized('a', half), Ok(1));
        assert_eq!(session.send_sized('b', half), Ok(2));
        assert_eq!(session.send_sized('c', 1), Err(Overflow));
        session.acked(1).unwrap();
        assert_eq!(session.send_sized('c', half), Ok(3));
        assert_eq!(session.send_sized('d', 1), Err(Overflow));
        assert_eq!(
            session.resume(1).unwrap().collect::<Vec<_>>(),
            [(2, 'b'), (3, 'c')]
        );
        session.acked(3).unwrap();
        assert_eq!(
            session.send_sized('d', 2 * MAX_UNACKNOWLEDGED_BYTES),
            Ok(4),
            "one alone may be larger"
        );
    }
}
