//! What a host says of itself is asked over a connection that proves who it is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use tokio::net::TcpListener;
use visita_client::{
    Error,
    about::{self, About},
    address::HostUrl,
    trust::{Expect, Tls},
};
use visita_protocol::id::Fingerprint;
use visita_tests::host::Host;

const WITHIN: Duration = Duration::from_secs(30);

async fn ask(url: HostUrl, expect: Expect) -> (Result<About, Error>, Tls) {
    let tls = Tls::new(expect).unwrap();
    let answer = about::ask(&[url], &tls, WITHIN).await;
    (answer.map(|(about, _)| about), tls)
}

#[tokio::test]
async fn a_host_says_its_name_and_versions_to_who_trusts_it() {
    let host = Host::start_with(|config| config.ward = Some("Medicina 3 Norte".into()));
    let pin = Expect::Pin(host.handle.fingerprint());
    for expect in [pin, Expect::First] {
        let (about, tls) = ask(host.url(), expect).await;
        let about = about.unwrap();
        assert_eq!(about.ward, "Medicina 3 Norte");
        assert_eq!(about.protocol, [1]);
        assert!(about.is_understood() && !about.version.is_empty());
        assert_eq!(tls.trusted(), Some(host.handle.fingerprint()));
    }
    let (about, _) = ask(host.url(), Expect::Pin(Fingerprint([1; 32]))).await;
    assert!(matches!(about, Err(Error::Mismatch(_))), "{about:?}");
    host.stop().await;
}

#[tokio::test]
async fn who_is_no_host_is_an_error() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = HostUrl::from_socket(nobody.local_addr().unwrap());
    let hung_up = tokio::spawn(async move { drop(nobody.accept().await.unwrap()) });
    let (about, _) = ask(url.clone(), Expect::First).await;
    assert!(matches!(about, Err(Error::Unreachable { .. })), "{about:?}");
    hung_up.await.unwrap();
    let (about, _) = ask(url, Expect::First).await;
    assert!(matches!(about, Err(Error::Unreachable { .. })), "{about:?}");
}
