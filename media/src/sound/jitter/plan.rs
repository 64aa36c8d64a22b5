//! What to do with one sender's packets, every 10 ms: pure. It knows numbers and times and never
//! looks at sound. `ui/protocol` has a twin of it, and the recorded traces in `media/tests/traces`
//! hold the two together.
//!
//! Sound is played so much later than the fastest packet of the last seconds could be ([`Plan::late`]);
//! the aim ([`Plan::target`]) follows how irregularly packets come. What is played too late is
//! made to catch up by taking out pieces, what is played too early is held back by putting some
//! in, and so clocks that run apart are followed too. While the sender is silent both cost nothing.

use std::collections::BTreeMap;

use super::{delays::Delays, seen::Seen};

/// How often it is asked what to play, in microseconds.
pub const TICK_US: u64 = 10_000;
/// A packet's sound, in microseconds.
pub const PACKET_US: u64 = 20_000;

/// The most packets that wait: three seconds' worth, more than any aim needs.
const MOST_WAITING: usize = 150;
/// A packet that took so much longer or shorter than the one before it belongs to another time:
/// the sender's clock jumped.
const JUMP_US: u64 = 2_000_000;
/// A packet whose number is so far away belongs to another numbering.
const JUMP_NUMBERS: u32 = 1_000;
/// Times of packets that follow each other may differ from a packet's length by so much, since
/// senders follow their clocks.
const SLACK_US: u64 = 10_000;
/// So much too late is caught up with by taking sound out…
const TOO_LATE_US: u64 = 10_000;
/// …and so much too early is made up for by putting sound in: earlier than that, a packet that comes
/// right after a tick is missed. No piece is longer than the gap between the two, so that they
/// never take turns.
const TOO_EARLY_US: u64 = 5_000;
/// The least time between two pieces taken out or put in: rare enough not to be heard.
const STRETCH_EVERY_US: u64 = 100_000;
/// From so much too late on, catching up matters more than how it sounds…
const HURRY_US: u64 = 100_000;
/// …and pieces may follow each other as fast as this.
const HURRY_EVERY_US: u64 = 30_000;
/// From so much too late on nothing but leaving out helps.
const SKIP_US: u64 = 500_000;
/// What must lie ready for a piece to be found and taken out of it.
const ACCELERATE_NEEDS_US: u64 = 30_000;
/// What must be left when a piece is taken out, in packets too: it mustn't make a hole.
const ACCELERATE_LEAVES_US: u64 = 40_000;
/// A hole of so much isn't filled packet by packet any more.
const HOLE_US: u64 = 200_000;
/// A sender of whom nothing came for so long begins anew.
const IDLE_US: u64 = 1_000_000;
/// Times beyond it are nonsense, and beyond what a page can count (140 years).
const LAST_TIME_US: u64 = 1 << 52;

/// A packet as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<T> {
    /// Its number.
    pub sequence: u32,
    /// When its first sample was captured, in microseconds on the sender's clock.
    pub time: u64,
    /// Whether it says that silence begins, so that missing packets aren't missed.
    pub silence: bool,
    /// Its sound.
    pub payload: T,
}

/// What to do. The first three add sound to what lies ready, and it is asked again at once; each of
/// the others ends the tick with 10 ms being played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<T> {
    /// Decode this packet.
    Decode(Packet<T>),
    /// Decode what this packet knows of the one before it, which is lost. It stays.
    Repair(Packet<T>),
    /// A packet is lost: let the decoder make one up.
    Conceal,
    /// Play what lies ready.
    Play,
    /// Play what lies ready, and take a piece out.
    Accelerate,
    /// Play what lies ready, and put a piece in.
    Expand,
    /// Nothing came in time: let the decoder make up 10 ms, and wait with the rest.
    Hold,
    /// The sender is silent: 10 ms of that.
    Silence,
    /// There is nobody.
    Nothing,
}

/// What became of a packet that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It waits.
    Waits,
    /// It came after its time, or its time is nonsense.
    Late,
    /// It is there already.
    Double,
    /// A newer packet brought a copy of it before: nothing is wrong with it.
    Copied,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets that came after their time.
    pub late: u64,
    /// Packets that came twice.
    pub double: u64,
    /// Packets left out: too many, too old, or of another time.
    pub left_out: u64,
    /// Sound made up in place of what was missing, in microseconds. What was waited for counts
    /// once it has come, since a sender may also have stopped.
    pub concealed_us: u64,
    /// Sound repaired out of the packet after it, in microseconds.
    pub repaired_us: u64,
    /// Packets of which a copy was there in time, and before they came, if they ever did.
    pub copied: u64,
    /// How often another time began.
    pub jumps: u64,
}

/// One sender's packets and what is known of their delays.
#[derive(Clone, Debug)]
pub struct Plan<T> {
    packets: BTreeMap<u32, Packet<T>>,
    delays: Delays,
    last_transit: Option<i64>,
    seen: Seen,
    playing: bool,
    /// The number of the packet to decode next; `None` before the first.
    next: Option<u32>,
    /// Its time: that of the first sample that doesn't lie ready.
    position: u64,
    /// Whether the last packet said that silence begins.
    silent: bool,
    /// How long nothing has come in time.
    held: u64,
    stretched: u64,
    counts: Counts,
}

impl<T> Default for Plan<T> {
    fn default() -> Self {
        Self {
            packets: BTreeMap::new(),
            delays: Delays::default(),
            last_transit: None,
            seen: Seen::default(),
            playing: false,
            next: None,
            position: 0,
            silent: false,
            held: 0,
            stretched: 0,
            counts: Counts::default(),
        }
    }
}

impl<T: Clone> Plan<T> {
    /// Of a sender nobody has heard yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet came, at this time on the receiver's clock.
    pub fn packet(&mut self, packet: Packet<T>, arrival: u64) -> Kept {
        if packet.time > LAST_TIME_US {
            self.counts.left_out += 1;
            return Kept::Late;
        }
        let transit = arrival as i64 - packet.time as i64;
        if self.is_of_another_time(packet.sequence, transit) {
            self.begin_anew();
        }
        self.last_transit = Some(transit);
        let highest = self.seen.highest().unwrap_or(packet.sequence);
        if self.seen.packet(packet.sequence) {
            return Kept::Copied;
        }
        self.delays.add(arrival, transit);
        if packet.sequence.saturating_sub(highest) == 2 {
            // The one between is repaired out of this one: it came with it, a packet's time later.
            self.delays.add(arrival, transit + PACKET_US as i64);
        }
        if self.next.is_some_and(|next| packet.sequence < next) {
            self.counts.late += 1;
            return Kept::Late;
        }
        if self.packets.contains_key(&packet.sequence) {
            self.counts.double += 1;
            return Kept::Double;
        }
        self.wait(packet);
        Kept::Waits
    }

    /// A copy of an older packet came with another one, which is handed in after it. Where its
    /// original came it costs nothing; else it is as good, and as late as it came.
    pub fn copy(&mut self, packet: Packet<T>, arrival: u64) {
        if packet.time > LAST_TIME_US {
            return;
        }
        let transit = arrival as i64 - packet.time as i64;
        if self.is_of_another_time(packet.sequence, transit) || !self.seen.copy(packet.sequence) {
            return;
        }
        self.delays.add(arrival, transit);
        let played = self.next.is_some_and(|next| packet.sequence < next);
        if !played && !self.packets.contains_key(&packet.sequence) {
            self.counts.copied += 1;
            self.wait(packet);
        }
    }

    fn is_of_another_time(&self, sequence: u32, transit: i64) -> bool {
        let jumped = self
            .last_transit
            .is_some_and(|last| transit.abs_diff(last) > JUMP_US);
        let renumbered = self
            .next
            .is_some_and(|next| sequence.abs_diff(next) > JUMP_NUMBERS);
        jumped || renumbered
    }

    fn wait(&mut self, packet: Packet<T>) {
        if self.packets.len() == MOST_WAITING {
            self.packets.pop_first();
            self.counts.left_out += 1;
        }
        self.packets.insert(packet.sequence, packet);
    }

    fn begin_anew(&mut self) {
        self.counts.left_out += self.packets.len() as u64;
        self.counts.jumps += 1;
        *self = Self {
            counts: self.counts,
            stretched: self.stretched,
            ..Self::default()
        };
    }

    /// What to do now, with so many microseconds of sound lying ready.
    pub fn decide(&mut self, now: u64, ahead: u64) -> Decision<T> {
        if !self.playing && !self.begins(now) {
            return Decision::Nothing;
        }
        let due = self.due(now);
        let target = self.delays.target() as i64;
        let mut excess = self.late(now, ahead) - target;
        if excess > SKIP_US as i64 && self.skip(due) {
            excess = self.late(now, ahead) - target;
        }
        let rested = now.saturating_sub(self.stretched);
        let every = if excess > HURRY_US as i64 {
            HURRY_EVERY_US
        } else {
            STRETCH_EVERY_US
        };
        let accelerate = excess > TOO_LATE_US as i64
            && rested >= every
            && self.waiting() + ahead >= ACCELERATE_LEAVES_US;
        if accelerate && ahead < ACCELERATE_NEEDS_US && self.next_follows() {
            return self.decode();
        }
        if ahead < TICK_US {
            return self.refill(due, ahead);
        }
        if accelerate && ahead >= ACCELERATE_NEEDS_US {
            self.stretched = now;
            return Decision::Accelerate;
        }
        if excess < -(TOO_EARLY_US as i64) && rested >= STRETCH_EVERY_US {
            self.stretched = now;
            return Decision::Expand;
        }
        Decision::Play
    }

    /// What was captured then is due now.
    fn due(&self, now: u64) -> i64 {
        now as i64 - self.delays.fastest().unwrap_or_default() - self.delays.target() as i64
    }

    /// Whether the first packet has waited for long enough, or somebody who stopped goes on.
    fn begins(&mut self, now: u64) -> bool {
        let Some(first) = self.packets.values().next() else {
            if self.next.is_some() {
                self.held += TICK_US;
            }
            return false;
        };
        if !is_due(first.time, self.due(now)) {
            if self.next.is_some() {
                self.held += TICK_US;
            }
            return false;
        }
        if self.next.is_none() {
            self.next = Some(first.sequence);
            self.position = first.time;
        }
        self.playing = true;
        true
    }

    /// Leaves out what should have been played before `due`, but not the newest packet.
    fn skip(&mut self, due: i64) -> bool {
        let mut left_out = false;
        while self.packets.len() > 1
            && let Some(first) = self.packets.first_entry()
            && ((first.get().time + PACKET_US) as i64) <= due
        {
            first.remove();
            self.counts.left_out += 1;
            left_out = true;
        }
        if left_out && let Some(first) = self.packets.values().next() {
            self.next = Some(first.sequence);
            self.position = first.time;
        }
        left_out
    }

    /// Less than a tick lies ready: what comes next. What was captured before `due` is due.
    fn refill(&mut self, due: i64, ahead: u64) -> Decision<T> {
        let Some(first) = self.packets.values().next() else {
            if self.silent {
                self.position += TICK_US;
                return Decision::Silence;
            }
            return self.hold();
        };
        let (sequence, time) = (first.sequence, first.time);
        let missing = sequence.saturating_sub(self.next.unwrap_or(sequence));
        let gap = time.saturating_sub(self.position);
        if missing == 0 && self.silent {
            return self.after_silence(time, due + ahead as i64);
        }
        if gap <= SLACK_US || (missing > 0 && gap <= self.held) {
            // What was held in place of what is lost needn't be made up for again.
            return self.decode();
        }
        if gap > HOLE_US {
            return if time as i64 <= due {
                self.decode()
            } else {
                self.hold()
            };
        }
        self.position += PACKET_US;
        if missing == 1 {
            self.next = Some(sequence);
            self.counts.repaired_us += PACKET_US;
            return Decision::Repair(first.clone());
        }
        if missing > 1 {
            self.next = self.next.map(|next| next + 1);
        }
        self.counts.concealed_us += PACKET_US;
        Decision::Conceal
    }

    /// What follows silence may begin whenever it suits: as late as is aimed at, once what lies ready
    /// is played.
    fn after_silence(&mut self, time: u64, due: i64) -> Decision<T> {
        if is_due(time, due) {
            return self.decode();
        }
        self.position += TICK_US;
        Decision::Silence
    }

    fn hold(&mut self) -> Decision<T> {
        self.held += TICK_US;
        self.playing = self.held < IDLE_US;
        Decision::Hold
    }

    fn next_follows(&self) -> bool {
        self.packets.values().next().is_some_and(|first| {
            self.next == Some(first.sequence) && first.time <= self.position + SLACK_US
        })
    }

    fn decode(&mut self) -> Decision<T> {
        let Some((sequence, packet)) = self.packets.pop_first() else {
            return Decision::Nothing;
        };
        let paused = self.next == Some(sequence) && packet.time >= self.position + self.held / 2;
        if self.held > 0 && !paused {
            self.counts.concealed_us += self.held;
        }
        self.held = 0;
        self.next = Some(sequence.saturating_add(1));
        self.position = packet.time.saturating_add(PACKET_US);
        self.silent = packet.silence;
        Decision::Decode(packet)
    }

    /// How much sound waits in packets, in microseconds.
    fn waiting(&self) -> u64 {
        self.packets.values().next_back().map_or(0, |last| {
            (last.time + PACKET_US).saturating_sub(self.position)
        })
    }

    /// How much later is played now than the fastest packet of the last seconds could be, in
    /// microseconds.
    pub fn late(&self, now: u64, ahead: u64) -> i64 {
        let Some(fastest) = self.delays.fastest() else {
            return 0;
        };
        now as i64 - (self.position as i64 - ahead as i64) - fastest
    }

    /// How much later it should be.
    pub fn target(&self) -> u64 {
        self.delays.target()
    }

    /// The time of the sample that is played now, on the sender's clock; `None` while nobody is
    /// heard.
    pub fn playing(&self, ahead: u64) -> Option<u64> {
        (self.playing && !self.silent).then(|| self.position.saturating_sub(ahead))
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

/// Whether a first packet is due, to the nearest tick: what begins late is caught up with by pieces
/// taken out of speech.
fn is_due(time: u64, due: i64) -> bool {
    time as i64 <= due + (TICK_US / 2) as i64
}

#[cfg(test)]
mod tests;
