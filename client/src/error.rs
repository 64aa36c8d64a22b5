//! Why a session can't begin or go on.

use std::{io, time::Duration};

use visita_protocol::error::Code;

use crate::{address::HostUrl, trust};

/// Why a session can't begin or go on. The words say the next step; a person's names are in none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No address of the host answered.
    #[error("{url} can't be reached ({source}); check that the host is on and on the same network")]
    Unreachable {
        /// Where it was tried.
        url: HostUrl,
        /// What the system said.
        source: io::Error,
    },
    /// Something answers there, but not as a Visita host.
    #[error("what answers at {url} is not a Visita host ({what}); check the address and port")]
    NotAHost {
        /// Where.
        url: HostUrl,
        /// What it did instead.
        what: String,
    },
    /// The host isn't the one that was trusted.
    #[error(transparent)]
    Mismatch(#[from] trust::Mismatch),
    /// The host's certificate doesn't hold.
    #[error(
        "{url} shows a certificate that doesn't hold ({what}); check the clocks of both machines"
    )]
    Certificate {
        /// Which host.
        url: HostUrl,
        /// What is wrong with it.
        what: rustls::Error,
    },
    /// The host refused, or ends its service.
    #[error("{}", refusal(*.0))]
    Refused(Code),
    /// The connection broke and the session couldn't be resumed.
    #[error("the connection was lost and didn't come back within {} s", .after.as_secs_f32())]
    NotResumed {
        /// How long it was tried.
        after: Duration,
    },
    /// The host doesn't follow the protocol.
    #[error("the host broke the protocol ({0}); update the older side")]
    Protocol(String),
    /// More messages were said than the host takes.
    #[error("the host doesn't keep up with what is sent to it")]
    Overflow,
    /// The pins can't be read or written.
    #[error(transparent)]
    Pins(#[from] trust::pins::Error),
    /// The system has no thread to give for the camera.
    #[error("no thread for the camera ({0}); close other programs")]
    Threads(io::Error),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Error {
    /// Whether trying again can help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Error::Unreachable { .. } | Error::NotAHost { .. } => true,
            Error::Refused(code) => matches!(
                code,
                Code::Busy | Code::RateLimited | Code::Timeout | Code::Internal
            ),
            _ => false,
        }
    }
}

fn refusal(code: Code) -> String {
    match code {
        Code::ShuttingDown => "the host was switched off; look for another host of the ward".into(),
        code => format!("the host refused: {code}"),
    }
}
