//! Calls without a window: the relay in this process, participants as the library and as the
//! program, on this machine's loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../../relay/tests/common/mod.rs"]
mod common;

mod calls {
    mod endings;
    mod garbage;
    mod lines;
    mod lossy;
    mod loudspeakers;
    mod participants;
    mod programs;
    mod room;
    mod sound;
    mod support;
    mod udp;
}
