//! What a media socket is told: little waits in the kernel, and loss isn't taken for a full line.

use tokio::net::TcpStream;

/// Bytes that the kernel takes and hasn't sent yet, before it takes no more: a fifth of a second of
/// a line of 150 kbit/s, on which sound must still be in time. What waits beyond that waits in our
/// queues, where sound goes first and pictures can still be let go. One write is taken whole however
/// large it is, so a fast line isn't held up.
#[cfg(target_os = "linux")]
const NOT_SENT: u32 = 4 * 1024;

/// Sets what the system has; without it the relay works, on a poor line less well.
pub(crate) fn tune(socket: &TcpStream) {
    #[cfg(target_os = "linux")]
    {
        use std::sync::Once;
        static SAID: Once = Once::new();
        let socket = socket2::SockRef::from(socket);
        // BBR: on a line that loses packets CUBIC's queue grows to seconds.
        let tuned = socket
            .set_tcp_notsent_lowat(NOT_SENT)
            .and_then(|()| socket.set_tcp_congestion(b"bbr"));
        if let Err(error) = tuned {
            SAID.call_once(|| tracing::info!(%error, "this kernel has no BBR: on a poor line pictures come later"));
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}
