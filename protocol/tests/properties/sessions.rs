//! Over a line that breaks at any moment, every message arrives once and in order; and a side that
//! lets go of messages is made up for by being told how things are.

use std::collections::VecDeque;

use proptest::{collection::vec, prelude::*};
use visita_protocol::session::{Accept, Session};

#[derive(Clone, Debug)]
enum Event {
    /// A side says something.
    Send { side: usize },
    /// A side acknowledges without saying anything.
    Ack { side: usize },
    /// So many packets on their way to a side arrive.
    Arrive { side: usize, packets: usize },
    /// The line breaks after so many packets arrived on each side; all others are lost. A side
    /// that goes on talking does so into its session alone, and may let go of it. A new connection
    /// resumes; so many packets of the old one still arrive after each side said what it has.
    Break {
        arriving: [usize; 2],
        said: [usize; 2],
        lets_go: [bool; 2],
        late: [usize; 2],
    },
    /// A side lets go while it is connected.
    LetGo { side: usize },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..2_usize).prop_map(|side| Event::Send { side }),
        1 => (0..2_usize).prop_map(|side| Event::Ack { side }),
        4 => (0..2_usize, 1..4_usize).prop_map(|(side, packets)| Event::Arrive { side, packets }),
        1 => any::<([[u8; 2]; 3], [bool; 2])>().prop_map(|([arriving, said, late], lets_go)| Event::Break {
            arriving: arriving.map(|n| usize::from(n % 6)),
            said: said.map(|n| usize::from(n % 3)),
            lets_go,
            late: late.map(|n| usize::from(n % 4)),
        }),
        1 => (0..2_usize).prop_map(|side| Event::LetGo { side }),
    ]
}

#[derive(Clone, Copy)]
enum Body {
    One(u64),
    /// How things are: all that was said up to here.
    All(u64),
}

#[derive(Clone)]
enum Packet {
    Message { n: u64, ack: u64, body: Body },
    Ack { ack: u64 },
}

#[derive(Default)]
struct Side {
    session: Session<Body>,
    /// On their way to this side.
    arriving: VecDeque<Packet>,
    said: u64,
    heard: Vec<u64>,
}

struct Line([Side; 2]);

impl Line {
    fn say(&mut self, side: usize, connected: bool) {
        let speaker = &mut self.0[side];
        let body = Body::One(speaker.said);
        speaker.said += 1;
        if speaker.session.is_behind() {
            speaker.session.send(body).unwrap_err();
            return;
        }
        let n = speaker.session.send(body).unwrap();
        let ack = speaker.session.received();
        if connected {
            self.0[1 - side]
                .arriving
                .push_back(Packet::Message { n, ack, body });
        }
    }

    fn ack(&mut self, side: usize) {
        let ack = self.0[side].session.received();
        self.0[1 - side].arriving.push_back(Packet::Ack { ack });
    }

    fn arrive(&mut self, side: usize, packets: usize) {
        let side = &mut self.0[side];
        for _ in 0..packets {
            match side.arriving.pop_front() {
                Some(Packet::Message { n, ack, body }) => {
                    if side.session.accept(n, ack).unwrap() == Accept::New {
                        match body {
                            Body::One(body) => side.heard.push(body),
                            Body::All(said) => {
                                assert!(said >= side.heard.len() as u64, "back in time");
                                side.heard = (0..said).collect();
                            }
                        }
                    }
                }
                Some(Packet::Ack { ack }) => side.session.acked(ack).unwrap(),
                None => break,
            }
        }
    }

    fn resume(&mut self, late: [usize; 2]) {
        let received = [self.0[0].session.received(), self.0[1].session.received()];
        for (side, late) in late.into_iter().enumerate() {
            self.arrive(side, late);
            self.0[side].arriving.clear();
        }
        for side in 0..2 {
            let ack = received[side];
            let behind = self.0[side].session.is_behind();
            let again: Vec<_> = self.0[side]
                .session
                .resume(received[1 - side])
                .unwrap()
                .collect();
            for (n, body) in again {
                self.0[1 - side]
                    .arriving
                    .push_back(Packet::Message { n, ack, body });
            }
            if behind {
                let body = Body::All(self.0[side].said);
                let n = self.0[side].session.send(body).unwrap();
                self.0[1 - side]
                    .arriving
                    .push_back(Packet::Message { n, ack, body });
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled_over_any_breaks(events in vec(event(), 0..120)) {
        let mut line = Line([Side::default(), Side::default()]);
        for event in events {
            match event {
                Event::Send { side } => line.say(side, true),
                Event::Ack { side } => line.ack(side),
                Event::Arrive { side, packets } => line.arrive(side, packets),
                Event::LetGo { side } => line.0[side].session.let_go(),
                Event::Break { arriving, said, lets_go, late } => {
                    for (side, packets) in arriving.into_iter().enumerate() {
                        line.arrive(side, packets);
                    }
                    for (side, said) in said.into_iter().enumerate() {
                        line.0[side].session.lost();
                        for _ in 0..said {
                            line.say(side, false);
                        }
                        if lets_go[side] {
                            line.0[side].session.let_go();
                        }
                    }
                    line.resume(late);
                }
            }
            for side in 0..2 {
                let heard = &line.0[side].heard;
                prop_assert!(heard.iter().copied().eq(0..heard.len() as u64), "{:?}", heard);
                prop_assert!(heard.len() as u64 <= line.0[1 - side].said);
            }
        }
        // The line holds at last: all arrives, and all is acknowledged.
        line.resume([0, 0]);
        for _ in 0..2 {
            for side in 0..2 {
                line.arrive(side, usize::MAX);
                line.ack(side);
            }
        }
        for side in 0..2 {
            line.arrive(side, usize::MAX);
            prop_assert_eq!(line.0[side].heard.len() as u64, line.0[1 - side].said);
            prop_assert_eq!(line.0[side].session.unacknowledged(), 0);
        }
    }

    #[test]
    fn no_numbers_make_a_session_panic_or_grow(numbers in vec((0..3_u8, 0..2000_u64, 0..2000_u64), 0..200)) {
        let mut session = Session::new();
        for (what, n, ack) in numbers {
            match what {
                0 => {
                    let _ = session.accept(n, ack);
                }
                1 => {
                    let _ = session.resume(ack).map(Iterator::count);
                }
                _ => {
                    for _ in 0..n {
                        let _ = session.send(());
                    }
                }
            }
            prop_assert!(session.unacknowledged() <= visita_protocol::session::MAX_UNACKNOWLEDGED);
        }
    }
}
