//! What a host says of itself, without a session.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header::HOST};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::timeout;
use visita_protocol::VERSION;

use crate::{address::HostUrl, dial, discover::tidy, error::Error, trust::Tls};

/// Where hosts say what they are.
const PATH: &str = "/api/v1/version";
/// The most that is read of the answer; it is a few hundred bytes.
const MOST: usize = 16 * 1024;

/// A host's answer. Whose answer it is the TLS handshake says ([`Tls::trusted`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What the ward calls itself, on one line; to be shown as text, never as markup.
    pub ward: String,
    /// The host's own version.
    pub version: String,
    /// The protocol versions that it speaks.
    pub protocol: Vec<u8>,
}

impl About {
    /// Whether it speaks a protocol version that is spoken here.
    pub fn is_understood(&self) -> bool {
        self.protocol.contains(&VERSION)
    }
}

/// Asks a host. Gives also the URL that answered.
pub async fn ask(urls: &[HostUrl], tls: &Tls, within: Duration) -> Result<(About, HostUrl), Error> {
    let Some(first) = urls.first() else {
        return Err(Error::Protocol("no address was given".into()));
    };
    let unanswered = || Error::Unreachable {
        url: first.clone(),
        source: io::ErrorKind::TimedOut.into(),
    };
    timeout(within, answer(urls, tls))
        .await
        .map_err(|_| unanswered())?
}

async fn answer(urls: &[HostUrl], tls: &Tls) -> Result<(About, HostUrl), Error> {
    let (url, stream) = dial::tls(urls, tls.config.clone()).await?;
    let strange = |what: String| Error::NotAHost {
        url: url.clone(),
        what,
    };
    let request = Request::get(PATH)
        .header(HOST, url.authority())
        .body(Empty::<Bytes>::new())
        .map_err(|error| strange(error.to_string()))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| strange(error.to_string()))?;
    let ask = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| strange(error.to_string()))?;
        if response.status() != StatusCode::OK {
            return Err(strange(format!(
                "HTTP status {}",
                response.status().as_u16()
            )));
        }
        let body = Limited::new(response.into_body(), MOST)
            .collect()
            .await
            .map_err(|error| strange(error.to_string()))?;
        read(&body.to_bytes()).ok_or_else(|| strange("an unreadable answer".into()))
    };
    // The connection moves only while it is polled, and goes with this function.
    tokio::pin!(connection, ask);
    let about = tokio::select! {
        about = &mut ask => about?,
        ended = &mut connection => {
            ended.map_err(|error| strange(error.to_string()))?;
            // What was answered before the end is still there to be read.
            ask.await?
        }
    };
    Ok((about, url.clone()))
}

fn read(body: &[u8]) -> Option<About> {
    #[derive(Deserialize)]
    struct Body {
        version: String,
        protocol: Vec<u8>,
        ward: String,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    Some(About {
        ward: tidy(&body.ward),
        version: tidy(&body.version),
        protocol: body.protocol,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_nonsense_is_none() {
        let body = br#"{"version":"0.2.0","protocol":[1,2],"ward":"Ward\u00a03\u001b","ward_id":"x","fingerprint":"y"}"#;
        let about = read(body).unwrap();
        assert_eq!(
            (about.ward.as_str(), about.is_understood()),
            ("Ward 3", true)
        );
        let later = read(br#"{"version":"9","protocol":[9],"ward":"W"}"#).unwrap();
        assert!(!later.is_understood());
        for body in ["", "[]", "{\"ward\":1}", "<html>"] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }
}
