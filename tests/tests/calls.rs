//! Calls without a window: the relay in this process, participants as the library and as the
//! program, on this machine's loopback.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls {
    mod endings;
    mod participants;
    mod programs;
    mod room;
    mod support;
}
