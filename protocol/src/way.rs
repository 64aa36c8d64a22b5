//! Which way a participant's media goes, over its WebSocket or over UDP, and when it changes: pure,
//! time is passed in.
//!
//! A WebSocket costs least, and on a good line nothing is better. On a line that loses packets it
//! stalls: what is behind a lost packet waits until that was sent again. Loss can't be seen through
//! it, but the stalls can, by the answers to pings, on either way, since control stays on the
//! WebSocket. So a few stalls lead to UDP, and only a long time without any, and without loss, leads
//! back; each return that proves wrong makes that time longer, so that it doesn't flap.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use crate::time::Now;

/// The way that media goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Over the WebSocket, as control does.
    #[default]
    Ws,
    /// Over UDP.
    Webrtc,
}

/// What is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The WebSocket, whatever the line is like.
    #[default]
    Ws,
    /// UDP whenever it works.
    Webrtc,
    /// What the line is better with.
    Auto,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Bring UDP up, while media goes on as it does: [`Chooser::up`] or [`Chooser::failed`] follows.
    Try,
    /// Give UDP up: media goes over the WebSocket.
    Leave(Why),
}

/// Why UDP is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It didn't come up in time.
    Late,
    /// Nothing comes over it.
    Silent,
    /// It loses much on a line on which the WebSocket doesn't stall: something on the way doesn't
    /// like UDP.
    Worse,
    /// The line is good: the WebSocket does as well, for less.
    Calm,
}

/// An answer that comes so much later than the fastest was held up. More than a radio link's own
/// unevenness, less than TCP takes to send again what was lost at the end of a burst (RFC 8985: at
/// least twice the way there and back).
pub const HELD_UP: Duration = Duration::from_millis(50);
/// Late answers that come together were held up by one thing.
const TOGETHER: Duration = Duration::from_millis(100);
/// So many stalls…
const STALLS: usize = 3;
/// …within this time show a line that loses or jitters; one outage is one stall.
const RECENT: Duration = Duration::from_secs(8);
/// How long an answer counts for the fastest.
const FASTEST_COUNTS: Duration = Duration::from_secs(30);
/// The most answers and stalls that are remembered.
const MOST: usize = 128;

/// A try that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(8);
/// From a failure to the next try, doubled each time, and what that grows to: a network without UDP
/// costs nothing.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const MOST_WAIT: Duration = Duration::from_mins(5);
/// UDP that worked for so long was no failure when it ended.
const HELD: Duration = Duration::from_mins(1);

/// Silent for so long, while the WebSocket was answered this often, it is dead.
const SILENT: Duration = Duration::from_millis(1_200);
const ANSWERS: u32 = 2;
/// So long is too long whatever else is heard: the relay has given it up by then.
const GONE: Duration = Duration::from_secs(5);

/// Losing this much of a thousand for this long is worse than a WebSocket that doesn't stall.
const MUCH: u32 = 200;
const MUCH_FOR: Duration = Duration::from_secs(3);

/// Losing less of a thousand is calm.
const LOSSY: u32 = 5;
/// It must be calm for so long, doubled each time that it wasn't calm again within [`RELAPSE`].
const CALM: Duration = Duration::from_secs(30);
const MOST_CALM: Duration = Duration::from_mins(10);
const RELAPSE: Duration = Duration::from_mins(2);
/// One stall in so long isn't worth a change.
const STALL_IN: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ws,
    Trying(Now),
    Webrtc(Now),
}

/// The rule.
#[derive(Clone, Debug)]
pub struct Chooser {
    policy: Policy,
    state: State,
    /// When pings were answered, and how long that took.
    answers: VecDeque<(Now, Duration)>,
    stalls: VecDeque<Now>,
    /// Not before then is UDP tried, and how long it is waited after the next failure.
    due: Option<Now>,
    wait: Duration,
    /// UDP is tried without another look at the line: it was in use.
    again: bool,
    /// How long it must be calm, and when media went back because it was.
    calm: Duration,
    returned: Option<Now>,
    /// When UDP was heard last, and the answers since to pings that went out after that.
    heard: Now,
    answered_since: u32,
    /// When UDP lost something last, and since when it loses much.
    lossy: Now,
    much: Option<Now>,
}

impl Chooser {
    /// Media begins over the WebSocket, which works at once.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            state: State::Ws,
            answers: VecDeque::new(),
            stalls: VecDeque::new(),
            due: None,
            wait: FIRST_WAIT,
            again: false,
            calm: CALM,
            returned: None,
            heard: Now(0),
            answered_since: 0,
            lossy: Now(0),
            much: None,
        }
    }

    /// The way now.
    pub fn way(&self) -> Way {
        match self.state {
            State::Webrtc(_) => Way::Webrtc,
            State::Ws | State::Trying(_) => Way::Ws,
        }
    }

    /// Whether pings say something that is needed.
    pub fn listens(&self) -> bool {
        self.policy == Policy::Auto || self.way() == Way::Webrtc
    }

    /// A ping over the WebSocket was answered after this time.
    pub fn answered(&mut self, now: Now, took: Duration) {
        let old = |(at, _): &(Now, Duration)| now.since(*at) > FASTEST_COUNTS;
        while self.answers.len() == MOST || self.answers.front().is_some_and(old) {
            self.answers.pop_front();
        }
        self.answers.push_back((now, took));
        let fastest = self.answers.iter().map(|(_, took)| *took).min();
        let late = took.saturating_sub(fastest.unwrap_or(took));
        let last = self.stalls.back().copied();
        if late >= HELD_UP && last.is_none_or(|last| now.since(last) > TOGETHER) {
            if self.stalls.len() == MOST {
                self.stalls.pop_front();
            }
            self.stalls.push_back(now);
        }
        if now.since(self.heard) > took {
            self.answered_since += 1;
        }
    }

    /// UDP was heard last at this time.
    pub fn heard(&mut self, at: Now) {
        if at > self.heard {
            self.heard = at;
            self.answered_since = 0;
        }
    }

    /// So many of a thousand packets of the last second got lost on UDP, in the worse direction.
    pub fn lost(&mut self, now: Now, permille: u32) {
        if permille >= LOSSY {
            self.lossy = now;
        }
        if permille < MUCH {
            self.much = None;
        } else {
            self.much.get_or_insert(now);
        }
    }

    /// UDP is up; gives whether it was still wanted. Media goes over it from now on.
    pub fn up(&mut self, now: Now) -> bool {
        if !matches!(self.state, State::Trying(_)) {
            return false;
        }
        let relapse = |at: Now| now.since(at) < RELAPSE;
        self.calm = if self.returned.is_some_and(relapse) {
            (self.calm * 2).min(MOST_CALM)
        } else {
            CALM
        };
        self.state = State::Webrtc(now);
        self.again = false;
        (self.heard, self.lossy) = (now, now);
        self.answered_since = 0;
        self.much = None;
        true
    }

    /// UDP failed or ended by itself: media goes over the WebSocket.
    pub fn failed(&mut self, now: Now) {
        match self.state {
            State::Ws => return,
            State::Webrtc(since) if now.since(since) >= HELD => self.wait = FIRST_WAIT,
            State::Webrtc(_) | State::Trying(_) => {}
        }
        self.state = State::Ws;
        self.again = false;
        self.due = Some(now.plus(self.wait));
        self.wait = (self.wait * 2).min(MOST_WAIT);
    }

    /// The WebSocket broke, and what was beside it goes with it. The next one may go another way
    /// through the network.
    pub fn broke(&mut self) {
        self.again |= self.state != State::Ws;
        if self.again {
            self.due = None;
        }
        self.state = State::Ws;
        self.answers.clear();
        self.stalls.clear();
    }

    /// What to do, to be asked some times a second.
    pub fn turn(&mut self, now: Now) -> Option<Order> {
        match self.state {
            State::Ws => self.tries(now).then(|| {
                self.state = State::Trying(now);
                Order::Try
            }),
            State::Trying(since) => (now.since(since) > LIMIT).then(|| self.leave(now, Why::Late)),
            State::Webrtc(since) => self.why(now, since).map(|why| self.leave(now, why)),
        }
    }

    fn tries(&self, now: Now) -> bool {
        let wanted = match self.policy {
            Policy::Ws => false,
            Policy::Webrtc => true,
            Policy::Auto => self.again || self.stalls(now, RECENT) >= STALLS,
        };
        wanted && self.due.is_none_or(|due| now >= due)
    }

    fn stalls(&self, now: Now, within: Duration) -> usize {
        let stalls = self.stalls.iter().rev();
        stalls.take_while(|at| now.since(**at) <= within).count()
    }

    /// Why UDP, in use since then, is to be left.
    fn why(&self, now: Now, since: Now) -> Option<Why> {
        let silent = now.since(self.heard);
        if silent >= GONE || silent >= SILENT && self.answered_since >= ANSWERS {
            return Some(Why::Silent);
        }
        if self.policy != Policy::Auto {
            return None;
        }
        let much = self.much.is_some_and(|much| now.since(much) >= MUCH_FOR);
        if much && self.stalls(now, RECENT) < STALLS {
            return Some(Why::Worse);
        }
        let few = (self.calm.as_secs() / STALL_IN.as_secs()) as usize;
        let calm = now.since(since.max(self.lossy)) >= self.calm;
        (calm && self.stalls(now, self.calm) <= few).then_some(Why::Calm)
    }

    fn leave(&mut self, now: Now, why: Why) -> Order {
        if why == Why::Calm {
            self.state = State::Ws;
            self.due = Some(now.plus(FIRST_WAIT));
            self.wait = FIRST_WAIT;
            self.returned = Some(now);
        } else {
            self.failed(now);
        }
        Order::Leave(why)
    }
}
