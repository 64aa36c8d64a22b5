//! How much picture may be on its way at once over a slow line, so that sound behind it isn't late:
//! pure.
//!
//! What was handed to the system waits there and in routers, before all that follows, sound too; and
//! however the system paces itself, it takes seconds to learn that a line has become slow. So on a
//! slow line every few chunks the other side is asked for an answer (a mark), and pictures wait here
//! while as much as the line bears is unanswered: more as long as answers come as fast as the
//! fastest, half as much when they come late (as RFC 6817, LEDBAT, does).

use std::{collections::VecDeque, time::Duration};

use crate::{chunk::FINE, time::Now};

/// How much later than the fastest an answer may come: RFC 6817's target, which a conversation bears
/// beside everything else that takes time.
const LATE: Duration = Duration::from_millis(100);

/// The least that is on its way: two chunks, so that a line isn't idle between two answers.
const LEAST: usize = 2 * FINE;

/// The most, in bytes: a second of a line that carries everything, which isn't slow.
const MOST: usize = 256 * 1024;

/// Marks for each window: a line isn't idle between two answers, and they cost little.
const MARKS: usize = 4;

/// Marks don't follow each other faster, unless there is no room without an answer: the other side
/// takes only so many messages a second.
const MARK_EVERY: Duration = Duration::from_millis(25);

/// How long the fastest answer is believed.
const FASTEST_COUNTS: Duration = Duration::from_mins(1);

/// What is unanswered, and how much may be.
#[derive(Debug)]
pub(super) struct Flight {
    window: usize,
    /// Marks without an answer, when they went out, and the bytes since the one before.
    marks: VecDeque<(u32, Now, usize)>,
    next: u32,
    /// Bytes since the last mark, and all that are unanswered.
    since: usize,
    unanswered: usize,
    /// The fastest answer, and when it came.
    fastest: Option<(Now, Duration)>,
    /// When the window was last made smaller: answers to what went out before say nothing new.
    shrunk: Option<Now>,
}

impl Default for Flight {
    fn default() -> Self {
        Self {
            window: 2 * LEAST,
            marks: VecDeque::new(),
            next: 1,
            since: 0,
            unanswered: 0,
            fastest: None,
            shrunk: None,
        }
    }
}

impl Flight {
    /// Whether another chunk may go out. One always may when no answer is waited for: the window may
    /// have become smaller than what went out since the last mark.
    pub(super) fn has_room(&self) -> bool {
        self.unanswered < self.window || self.marks.is_empty()
    }

    fn full(&self) -> bool {
        self.unanswered >= self.window
    }

    /// A chunk of so many bytes goes out; gives the mark that follows it, if one does.
    pub(super) fn took(&mut self, now: Now, bytes: usize) -> Option<u32> {
        self.since += bytes;
        self.unanswered += bytes;
        let last = self.marks.back().map(|(_, sent, _)| now.since(*sent));
        let early = last.is_some_and(|last| last < MARK_EVERY);
        let few = self.since < (self.window / MARKS).max(FINE);
        if !self.full() && (few || early) {
            return None;
        }
        let mark = self.next;
        self.next = self.next.checked_add(1).unwrap_or(1);
        self.marks
            .push_back((mark, now, std::mem::take(&mut self.since)));
        Some(mark)
    }

    /// A mark was answered. One that isn't known, or was answered before, says nothing.
    pub(super) fn answered(&mut self, now: Now, mark: u32) {
        let Some(at) = self.marks.iter().position(|(known, ..)| *known == mark) else {
            return;
        };
        let full = self.full();
        let (_, sent, _) = self.marks[at];
        let bytes: usize = self.marks.drain(..=at).map(|(_, _, bytes)| bytes).sum();
        self.unanswered -= bytes;
        let took = now.since(sent);
        let old = |at: Now| now.since(at) > FASTEST_COUNTS;
        if self
            .fastest
            .is_none_or(|(at, fastest)| took <= fastest || old(at))
        {
            self.fastest = Some((now, took));
        }
        let fastest = self.fastest.map_or(took, |(_, fastest)| fastest);
        if took.saturating_sub(fastest) > LATE {
            if self.shrunk.is_none_or(|shrunk| sent > shrunk) {
                self.window = (self.window / 2).max(LEAST);
                self.shrunk = Some(now);
            }
        } else if full && took.saturating_sub(fastest) < LATE / 2 {
            self.window = (self.window + bytes.min(FINE)).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_shrinks_below_what_is_out_stops_nothing() {
        let mut flight = Flight {
            window: LEAST,
            since: LEAST,
            unanswered: LEAST,
            ..Flight::default()
        };
        assert!(flight.has_room(), "no answer will come");
        let mark = flight.took(Now(0), FINE);
        assert!(
            mark.is_some() && !flight.has_room(),
            "one is asked for, and waited for"
        );
        flight.answered(Now(1000), mark.unwrap());
        assert!(flight.has_room());
    }

    /// A line of so many bytes a second whose way there and back takes `way` ms, with always more to
    /// send; gives how late answers came at most in the second half, and the bytes carried a second.
    fn run(rate: u64, way: u64) -> (u64, u64) {
        let mut flight = Flight::default();
        let (mut free, mut carried, mut late) = (0, 0, 0);
        let mut answers: VecDeque<(u64, u32)> = VecDeque::new();
        for ms in 0..60_000_u64 {
            let now = Now(ms * 1000);
            while answers.front().is_some_and(|(due, _)| *due <= ms * 1000) {
                let (_, mark) = answers.pop_front().unwrap();
                flight.answered(now, mark);
            }
            while flight.has_room() {
                let mark = flight.took(now, FINE);
                free = free.max(ms * 1000) + FINE as u64 * 1_000_000 / rate;
                if ms > 30_000 {
                    carried += FINE as u64;
                    late = late.max(free - ms * 1000);
                }
                if let Some(mark) = mark {
                    answers.push_back((free + way * 1000, mark));
                }
            }
        }
        (late / 1000, carried / 30)
    }

    #[test]
    fn little_waits_on_a_slow_line_and_all_of_it_is_used() {
        for (kbit_s, way) in [
            (100, 10),
            (150, 10),
            (150, 100),
            (500, 30),
            (2_000, 20),
            (2_000, 150),
        ] {
            let rate = kbit_s * 125;
            let (late, carried) = run(rate, way);
            // The least that is on its way takes its time on the slowest lines.
            let least = LEAST as u64 * 1000 / rate;
            assert!(
                late <= 150 + 2 * least,
                "{kbit_s} kbit/s, {way} ms: {late} ms late"
            );
            assert!(
                carried * 10 >= rate * 8,
                "{kbit_s} kbit/s, {way} ms: {carried} of {rate}"
            );
        }
    }

    #[test]
    fn answers_to_nothing_and_twice_change_nothing() {
        let mut flight = Flight::default();
        flight.answered(Now(0), 1);
        let mut marks = Vec::new();
        while flight.has_room() {
            marks.extend(flight.took(Now(0), FINE));
        }
        let last = *marks.last().unwrap();
        flight.answered(Now(10), last);
        let unanswered = flight.unanswered;
        for mark in marks {
            flight.answered(Now(20), mark);
        }
        assert_eq!(flight.unanswered, unanswered);
    }
}
