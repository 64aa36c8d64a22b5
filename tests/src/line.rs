//! A TCP line between a participant and a host that can be cut and joined again.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What a slow line takes at a time, in bytes.
const BURST: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Stalled,
    Cut,
}

/// A line. While it is cut, connections through it are gone without a word and new ones end at
/// once.
pub struct Line {
    address: SocketAddr,
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

impl Line {
    /// A line to this address.
    pub fn to(host: SocketAddr) -> Self {
        Self::carrying(host, None)
    }

    /// A line that carries so many bytes a second towards this address.
    pub fn slow(host: SocketAddr, bytes_per_s: u32) -> Self {
        Self::carrying(host, Some(bytes_per_s))
    }

    fn carrying(host: SocketAddr, bytes_per_s: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if bytes_per_s.is_some() {
            // What the line can't carry must wait at its sender, as behind a slow radio.
            socket.set_recv_buffer_size(BURST as u32).unwrap();
        }
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(16).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, state) = watch::channel(State::Up);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, host, bytes_per_s, state.clone()));
            }
        });
        Self {
            address,
            state: sender,
            task,
        }
    }

    /// Its near end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts it.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Nothing goes through any more, and nobody is told: connections stay, silent.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    /// Joins it again. Connections from before are gone.
    pub fn join(&self) {
        self.state.send_replace(State::Up);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

async fn carry(
    mut near: TcpStream,
    host: SocketAddr,
    bytes_per_s: Option<u32>,
    mut state: watch::Receiver<State>,
) {
    let cut = *state.borrow() == State::Cut;
    if cut {
        return;
    }
    let Ok(mut far) = TcpStream::connect(host).await else {
        return;
    };
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    let through = async {
        let Some(bytes_per_s) = bytes_per_s else {
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            return;
        };
        let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.split(), far.split());
        let up = async {
            let mut buffer = [0; BURST];
            while let Ok(read @ 1..) = near_in.read(&mut buffer).await {
                if far_out.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1) * read as u32 / bytes_per_s).await;
            }
        };
        tokio::select! {
            () = up => {}
            _ = tokio::io::copy(&mut far_in, &mut near_out) => {}
        }
    };
    tokio::select! {
        () = through => return,
        _ = state.wait_for(|state| *state != State::Up) => {}
    }
    // A stalled connection stays open until the line is something else.
    let _ = state.wait_for(|state| *state != State::Stalled).await;
}
