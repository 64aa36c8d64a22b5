//! A connection to a host: over TCP to the first of its addresses that answers, then TLS.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{address::HostUrl, carrier::socket::Socket, error::Error};

/// How long after one address the next is tried as well (RFC 8305 says 250 ms).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects, and checks that the host is whom `tls` trusts.
pub(crate) async fn tls(
    urls: &[HostUrl],
    tls: Arc<ClientConfig>,
) -> Result<(HostUrl, TlsStream<Socket>), Error> {
    let (url, tcp) = tcp(urls).await?;
    let name = match url.ip() {
        Some(ip) => ServerName::from(ip),
        None => ServerName::try_from(url.host()).map_err(|_| Error::NotAHost {
            url: url.clone(),
            what: "not a host's name".into(),
        })?,
    };
    let stream = TlsConnector::from(tls)
        .connect(name, Socket::new(tcp))
        .await
        .map_err(|error| tls_error(&url, error))?;
    Ok((url, stream))
}

/// Every address of every URL, one after the other, each starting a little after the one before;
/// the first that answers wins.
pub(crate) async fn tcp(urls: &[HostUrl]) -> Result<(HostUrl, TcpStream), Error> {
    let mut addresses: Vec<(&HostUrl, SocketAddr)> = Vec::new();
    let mut failed: Option<(&HostUrl, io::Error)> = None;
    for url in urls {
        match tokio::net::lookup_host((url.host(), url.port())).await {
            Ok(found) => addresses.extend(found.map(|address| (url, address))),
            Err(error) => failed = Some((url, error)),
        }
    }
    let mut attempts: FuturesUnordered<_> = (0..)
        .zip(addresses)
        .map(|(turn, (url, address))| async move {
            tokio::time::sleep(STAGGER * turn).await;
            (url, TcpStream::connect(address).await)
        })
        .collect();
    while let Some((url, result)) = attempts.next().await {
        match result {
            Ok(stream) => return Ok((url.clone(), stream)),
            Err(error) => failed = Some((url, error)),
        }
    }
    match failed {
        Some((url, source)) => Err(Error::Unreachable {
            url: url.clone(),
            source,
        }),
        None => Err(Error::Protocol("no address was given".into())),
    }
}

fn tls_error(url: &HostUrl, error: io::Error) -> Error {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let url = url.clone();
    match inner {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))) => {
            match other.0.downcast_ref::<crate::trust::Mismatch>() {
                Some(mismatch) => Error::Mismatch(*mismatch),
                None => Error::NotAHost {
                    url,
                    what: error.to_string(),
                },
            }
        }
        Some(what @ rustls::Error::InvalidCertificate(_)) => Error::Certificate {
            url,
            what: what.clone(),
        },
        Some(what) => Error::NotAHost {
            url,
            what: what.to_string(),
        },
        None => Error::Unreachable { url, source: error },
    }
}
