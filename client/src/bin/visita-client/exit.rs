//! How the program ends.

use std::{io, process::ExitCode};

use visita_client::{Error, discover, trust};

/// Why the program fails, and with which code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No session or no admission.
    #[error(transparent)]
    Begin(Error),
    /// The call broke off.
    #[error(transparent)]
    During(Error),
    /// No host was found.
    #[error("no host was found on this network in 5 s; give its address with --host")]
    NoHost,
    /// mDNS can't be used.
    #[error(transparent)]
    Discover(#[from] discover::Error),
    /// The pins can't be used.
    #[error(transparent)]
    Pins(#[from] trust::pins::Error),
    /// Nobody takes the output.
    #[error("the output can't be written: {0}")]
    Output(io::Error),
    /// A signal handler can't be installed.
    #[error("signals can't be handled: {0}")]
    Signals(io::Error),
}

impl Failure {
    /// The exit code that the contract gives it; 1 for what it doesn't name.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::NoHost
            | Failure::Begin(Error::Unreachable { .. } | Error::NotAHost { .. }) => 3,
            Failure::Begin(
                Error::Mismatch(_)
                | Error::Certificate { .. }
                | Error::Refused(_)
                | Error::Protocol(_),
            ) => 4,
            Failure::During(_) => 5,
            _ => 1,
        })
    }
}
