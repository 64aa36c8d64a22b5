//! The rooms of a host, without a session.

use std::{io, time::Duration};

use tokio::time::timeout;
use visita_protocol::control::{LobbyMessage, RoomInfo};

use crate::{
    address::HostUrl,
    carrier::{Message, ws},
    error::Error,
    trust::Tls,
};

/// Where hosts have their lobby's socket.
const PATH: &str = "/api/v1/lobby";

/// Asks a host for its rooms as they are now, oldest first. Gives also the URL that answered.
pub async fn rooms(
    urls: &[HostUrl],
    tls: &Tls,
    within: Duration,
) -> Result<(Vec<RoomInfo>, HostUrl), Error> {
    let Some(first) = urls.first() else {
        return Err(Error::Protocol("no address was given".into()));
    };
    let unanswered = |kind: io::ErrorKind| Error::Unreachable {
        url: first.clone(),
        source: kind.into(),
    };
    let ask = async {
        let (url, mut sender, mut receiver) =
            ws::connect(urls, PATH, tls.config.clone(), None).await?;
        loop {
            let message = receiver
                .next()
                .await
                .map_err(|_| unanswered(io::ErrorKind::ConnectionReset))?;
            let Message::Control(text) = message else {
                continue;
            };
            match serde_json::from_str(&text) {
                Ok(LobbyMessage::Rooms { rooms, .. }) => {
                    sender.close().await;
                    return Ok((rooms, url));
                }
                Ok(LobbyMessage::Unknown) => {}
                Err(_) => return Err(Error::Protocol("an unreadable list of rooms".into())),
            }
        }
    };
    timeout(within, ask)
        .await
        .map_err(|_| unanswered(io::ErrorKind::TimedOut))?
}
