//! Calls without a window: the relay in this process, participants as the library and as the
//! program, on this machine's loopback.

mod calls {
    mod participants;
    mod programs;
    mod room;
    mod support;
}
