//! The offer of UDP and its answer, over a TLS connection of its own.

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    Method, Request, StatusCode,
    header::{CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio_rustls::client::TlsStream;
use visita_protocol::{
    control::Welcome,
    webrtc::{Answer, Leave, MAX_OFFER, Offer},
};

use super::Failed;
use crate::{address::HostUrl, carrier::socket::Socket, dial, trust::Tls};

/// Where hosts take offers.
const PATH: &str = "/api/v1/webrtc";
/// Where they take them back.
const WAY: &str = "/api/v1/webrtc/way";

/// A connection to a host that an offer can go over.
pub(super) struct Door {
    url: HostUrl,
    stream: TlsStream<Socket>,
    /// This machine's address as the host sees it, or the next router does.
    pub(super) own: IpAddr,
}

impl Door {
    /// Connects to whom `tls` trusts.
    pub(super) async fn open(urls: &[HostUrl], tls: &Tls) -> Result<Self, Failed> {
        let (url, stream) = dial::tls(urls, tls.config.clone())
            .await
            .map_err(Failed::Unreachable)?;
        let own = stream.get_ref().0.own().map_err(Failed::System)?;
        Ok(Self { url, stream, own })
    }

    /// Makes the offer.
    pub(super) async fn offer(self, offer: &Offer) -> Result<Answer, Failed> {
        let answer = self
            .ask(Method::POST, PATH, offer, StatusCode::CREATED)
            .await?;
        serde_json::from_slice(&answer).map_err(|_| Failed::Unanswered)
    }

    /// Takes back what was offered before.
    pub(super) async fn give_up(self, welcome: &Welcome) -> Result<(), Failed> {
        let leave = Leave {
            session: welcome.session,
            secret: welcome.secret,
        };
        let answer = self.ask(Method::DELETE, WAY, &leave, StatusCode::NO_CONTENT);
        answer.await.map(drop)
    }

    async fn ask(
        self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        wanted: StatusCode,
    ) -> Result<Bytes, Failed> {
        let body = serde_json::to_vec(body).map_err(|_| Failed::Unanswered)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.url.authority())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| Failed::Unanswered)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(self.stream))
            .await
            .map_err(|_| Failed::Unanswered)?;
        let ask = async {
            let response = sender.send_request(request).await;
            let response = response.map_err(|_| Failed::Unanswered)?;
            if response.status() != wanted {
                return Err(Failed::Refused(response.status()));
            }
            // An answer is about as long as its offer.
            let body = Limited::new(response.into_body(), 2 * MAX_OFFER).collect();
            Ok(body.await.map_err(|_| Failed::Unanswered)?.to_bytes())
        };
        // The connection moves only while it is polled, and goes with this function.
        tokio::pin!(connection, ask);
        tokio::select! {
            answer = &mut ask => answer,
            ended = &mut connection => {
                ended.map_err(|_| Failed::Unanswered)?;
                // What was answered before the end is still there to be read.
                ask.await
            }
        }
    }
}
