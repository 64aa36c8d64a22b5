//! `visita-client rooms`.

use serde::Serialize;
use visita_client::{lobby, session::CONNECT_WITHIN};
use visita_protocol::{control::RoomKind, name::RoomName};

use crate::{args::Rooms, exit::Failure, host::Host, print};

#[derive(Serialize)]
struct Line {
    name: RoomName,
    kind: RoomKind,
    members: u32,
}

pub(crate) async fn run(args: Rooms) -> Result<(), Failure> {
    let host = Host::at(args.host, args.fingerprint, args.state)?;
    let answer = lobby::rooms(&host.urls, &host.tls, CONNECT_WITHIN).await;
    host.remember(None)?;
    let (rooms, _) = answer.map_err(Failure::Begin)?;
    rooms.into_iter().try_for_each(|room| {
        print(&Line {
            name: room.name,
            kind: room.kind,
            members: room.members,
        })
    })
}
