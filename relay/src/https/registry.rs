//! Which token is of which connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, header};
use visita_protocol::id::Secret;

use super::connection::Connection;

/// Every connection that is there. A token is 128 random bits, and kept as its hash: how long it takes
/// to find one says nothing about it.
#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<Digest, Arc<Connection>>>);

type Digest = [u8; 32];

impl Connections {
    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, token: &Secret, connection: Arc<Connection>) {
        self.lock().insert(digest(token), connection);
    }

    pub(super) fn remove(&self, token: &Secret) {
        self.lock().remove(&digest(token));
    }

    /// The connection whose token the request shows.
    pub(super) fn find(&self, headers: &HeaderMap) -> Option<Arc<Connection>> {
        self.lock().get(&digest(&shown(headers)?)).cloned()
    }
}

/// The token that a request shows: `Authorization: Bearer` and 32 digits, once.
fn shown(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    value.strip_prefix("Bearer ")?.parse().ok()
}

fn digest(token: &Secret) -> Digest {
    let digest = ring::digest::digest(&ring::digest::SHA256, &token.0);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_bearer_of_32_digits_is_a_token() {
        let hex = "00112233445566778899aabbccddeeff";
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            shown(&headers)
        };
        assert_eq!(
            of(&[&format!("Bearer {hex}")]).map(|token| token.hex()),
            Some(hex.to_owned())
        );
        let upper = hex.to_uppercase();
        for wrong in [
            String::new(),
            hex.to_owned(),
            format!("Basic {hex}"),
            format!("bearer {hex}"),
            format!("Bearer {hex}0"),
            format!("Bearer  {hex}"),
            format!("Bearer {upper}"),
            "Bearer é".to_owned(),
        ] {
            assert!(of(&[&wrong]).is_none(), "{wrong}");
        }
        let twice = format!("Bearer {hex}");
        assert!(of(&[&twice, &twice]).is_none());
        assert!(of(&[]).is_none());
    }
}
