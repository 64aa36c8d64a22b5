//! A TCP line between a participant and a host that can be cut and joined again, and slowed down.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpSocket, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// What a slow line takes at a time, in bytes.
const BURST: usize = 4096;

/// How long a slow line's bursts take at most, however slow it is. In shorter ones so little is read
/// that TCP, whose window is as small as the buffer, hardly opens it again: the line would carry a
/// third of what it should.
const SLOT: Duration = Duration::from_millis(100);

/// How many bytes a second it carries towards the host, and from it; `None`: whatever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Towards the host.
    pub up: Option<u32>,
    /// From the host.
    pub down: Option<u32>,
}

impl Rates {
    /// As fast as can be.
    pub const FAST: Self = Self {
        up: None,
        down: None,
    };
}

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
    rates: watch::Sender<Rates>,
    task: JoinHandle<()>,
}

impl Line {
    /// A line to this address.
    pub fn to(host: SocketAddr) -> Self {
        Self::carrying(host, Rates::FAST)
    }

    /// A line that carries so many bytes a second towards this address.
    pub fn slow(host: SocketAddr, bytes_per_s: u32) -> Self {
        let up = Some(bytes_per_s);
        Self::carrying(host, Rates { up, down: None })
    }

    /// A line that carries so much, until told otherwise.
    pub fn carrying(host: SocketAddr, rates: Rates) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if rates != Rates::FAST {
            // What the line can't carry must wait at its sender, as behind a slow radio.
            socket.set_recv_buffer_size(BURST as u32).unwrap();
        }
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(16).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, state) = watch::channel(State::Up);
        let (rates, carries) = watch::channel(rates);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, host, carries.clone(), state.clone()));
            }
        });
        Self {
            address,
            state: sender,
            rates,
            task,
        }
    }

    /// It carries so much from now on.
    pub fn carry(&self, rates: Rates) {
        self.rates.send_replace(rates);
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
    rates: watch::Receiver<Rates>,
    mut state: watch::Receiver<State>,
) {
    let cut = *state.borrow() == State::Cut;
    if cut {
        return;
    }
    let slow = *rates.borrow() != Rates::FAST;
    let Ok(mut far) = reach(host, slow).await else {
        return;
    };
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    let through = async {
        if !slow {
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            return;
        }
        let ((near_in, near_out), (far_in, far_out)) = (near.split(), far.split());
        tokio::select! {
            () = pour(near_in, far_out, || rates.borrow().up) => {}
            () = pour(far_in, near_out, || rates.borrow().down) => {}
        }
    };
    tokio::select! {
        () = through => return,
        _ = state.wait_for(|state| *state != State::Up) => {}
    }
    // A stalled connection stays open until the line is something else.
    let _ = state.wait_for(|state| *state != State::Stalled).await;
}

/// Connects to the host; over a slow line so that what it can't carry waits at the host.
async fn reach(host: SocketAddr, slow: bool) -> io::Result<TcpStream> {
    if !slow {
        return TcpStream::connect(host).await;
    }
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(BURST as u32)?;
    socket.connect(host).await
}

/// Carries what comes, at the rate of the moment.
async fn pour(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    bytes_per_s: impl Fn() -> Option<u32>,
) {
    let mut buffer = [0; BURST];
    loop {
        let rate = bytes_per_s();
        let slot = rate.map_or(BURST, |rate| {
            rate as usize * SLOT.as_millis() as usize / 1000
        });
        let Ok(read @ 1..) = from.read(&mut buffer[..slot.clamp(1, BURST)]).await else {
            return;
        };
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        if let Some(rate) = rate {
            tokio::time::sleep(Duration::from_secs(1) * read as u32 / rate).await;
        }
    }
}
