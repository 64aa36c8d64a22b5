//! What the port serves over HTTP, asked by a client that trusts the ward's CA and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::case_sensitive_file_extension_comparisons
)]

mod common;

use std::time::Duration;

use common::{Answer, PATIENCE, Server};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const LISTED: &str = "https://page.example:8443";

async fn plain(server: &Server, request: &str) -> Answer {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    Answer::parse(&bytes)
}

#[tokio::test]
async fn the_chain_holds_the_wards_ca_which_is_what_is_pinned() {
    let server = Server::start(|_| {}).await;
    let stream = server.connect().await;
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    assert_eq!(chain.len(), 2);
    let digest = ring::digest::digest(&ring::digest::SHA256, &chain[1]);
    assert_eq!(digest.as_ref(), server.handle.fingerprint().0);
    let der = server.get("/api/v1/ca?format=der", &[]).await;
    assert_eq!(der.body, chain[1].to_vec());
    // What has iOS and Firefox install it instead of putting it into a folder.
    assert_eq!(der.header("content-type"), "application/x-x509-ca-cert");
    assert!(der.header("content-disposition").starts_with("inline"));
    let pem = server.get("/api/v1/ca", &[]).await;
    assert_eq!(pem.text(), server.handle.ca_pem());
    assert!(!pem.text().contains("PRIVATE"));
    let version = server.get("/api/v1/version", &[]).await.json();
    assert_eq!(
        version["fingerprint"],
        format!("sha256:{}", server.handle.fingerprint())
    );
    assert_eq!(
        version["links"],
        serde_json::json!([format!("https://{}", server.address)])
    );
    assert_eq!(version["ward_id"], server.handle.fingerprint().hex()[..16]);
    assert_eq!(
        (&version["ward"], &version["protocol"]),
        (&"Ward 3".into(), &serde_json::json!([1]))
    );
    server.end().await;
}

#[tokio::test]
async fn plain_http_is_sent_to_https() {
    let server = Server::start(|_| {}).await;
    let own = format!("localhost:{}", server.address.port());
    let answer = plain(
        &server,
        &format!("GET /Familiar/?x=1 HTTP/1.1\r\nHost: {own}\r\n\r\n"),
    )
    .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (308, &*format!("https://{own}/Familiar/?x=1"))
    );
    let foreign = plain(&server, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert_eq!(
        foreign.header("location"),
        format!("https://{}/", server.address)
    );
    assert_eq!(plain(&server, "GET\r\n\r\n").await.status, 400);
    server.end().await;
}

#[tokio::test]
async fn pages_are_found_in_any_case_and_with_or_without_the_last_slash() {
    let server = Server::start(|_| {}).await;
    let index = server.get("/", &[]).await;
    assert_eq!(
        (index.status, index.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    for path in [
        "/Familiar/",
        "/familiar",
        "/FAMILIAR/",
        "/Paciente",
        "/paciente/",
        "/ayuda/certificado",
        "/Ayuda/Certificado/",
        "/ayuda/PERMISOS",
        "/index.html",
        "/?a=b",
    ] {
        let page = server.get(path, &[]).await;
        assert_eq!((page.status, &page.body), (200, &index.body), "{path}");
    }
    for path in [
        "/nothing",
        "/familiar/x",
        "/ayuda",
        "/ayuda/otra",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/index.d.ts",
    ] {
        assert_eq!(server.get(path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(server.request("HEAD", "/", &[]).await.body, b"");
    assert_eq!(
        server
            .request("POST", "/", &[("content-length", "0")])
            .await
            .status,
        405
    );
    let policy = index.header("content-security-policy");
    assert!(
        policy.contains(&format!("connect-src 'self' wss://{};", server.address)),
        "{policy}"
    );
    assert!(
        policy.contains("default-src 'self';")
            && policy.contains("script-src 'self' 'wasm-unsafe-eval';")
            && policy.matches("unsafe").count() == 1,
        "{policy}"
    );
    assert_eq!(index.header("x-content-type-options"), "nosniff");
    assert!(index.header("permissions-policy").contains("camera=(self)"));
    server.end().await;
}

#[tokio::test]
async fn files_are_sent_packed_and_not_twice() {
    let server = Server::start(|_| {}).await;
    let find = |text: &str| {
        text.split('"')
            .find(|part| part.ends_with(".js"))
            .map(|path| format!("/{}", path.trim_start_matches(['.', '/'])))
    };
    let index = server.get("/", &[]).await;
    let script = find(index.text()).expect("the page loads a script");
    let script = script.as_str();
    let whole = server.get(script, &[]).await;
    assert_eq!(
        whole.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(
        (whole.header("content-encoding"), whole.header("vary")),
        ("", "accept-encoding")
    );
    let zstd = server
        .get(script, &[("accept-encoding", "gzip, br, zstd")])
        .await;
    assert_eq!(zstd.header("content-encoding"), "zstd");
    assert_eq!(
        zstd::stream::decode_all(&zstd.body[..]).unwrap(),
        whole.body
    );
    let gzip = server.get(script, &[("accept-encoding", "gzip")]).await;
    assert_eq!(
        (gzip.header("content-encoding"), &gzip.body[..2]),
        ("gzip", &[0x1f, 0x8b][..])
    );
    let again = server
        .get(script, &[("if-none-match", whole.header("etag"))])
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    server.end().await;
}

#[tokio::test]
async fn a_folder_is_served_when_asked_for() {
    let ui = tempfile::tempdir().unwrap();
    std::fs::write(ui.path().join("index.html"), "hello").unwrap();
    let folder = ui.path().to_owned();
    let server = Server::start(|config| config.ui = Some(folder)).await;
    assert_eq!(server.get("/Paciente/", &[]).await.body, b"hello");
    std::fs::write(ui.path().join("index.html"), "changed").unwrap();
    assert_eq!(server.get("/", &[]).await.body, b"changed");
    server.end().await;
}

#[tokio::test]
async fn the_api_answers_in_json_also_when_it_refuses() {
    let server = Server::start(|_| {}).await;
    assert_eq!(
        server.get("/api/v1/health", &[]).await.json(),
        serde_json::json!({"status": "ok"})
    );
    let rooms = server.get("/api/v1/rooms", &[]).await.json();
    assert_eq!(rooms["rooms"], serde_json::json!([]));
    assert!(rooms["now_ms"].as_u64().unwrap() > 1_600_000_000_000);
    let missing = server.get("/api/v1/nothing", &[]).await;
    assert_eq!((missing.status, &*missing.code()), (404, "unknown_message"));
    let method = server.request("DELETE", "/api/v1/rooms", &[]).await;
    assert_eq!((method.status, method.header("allow")), (405, "GET, HEAD"));
    assert!(!method.code().is_empty());
    let no_socket = server.get("/api/v1/ws", &[]).await;
    assert_eq!((no_socket.status, &*no_socket.code()), (400, "malformed"));
    let version = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "8"),
    ];
    let old = server.get("/api/v1/ws", &version).await;
    assert_eq!(
        (old.status, old.header("sec-websocket-version")),
        (426, "13")
    );
    server.end().await;
}

#[tokio::test]
async fn only_own_and_listed_origins_use_api_and_sockets() {
    let server =
        Server::start(|config| config.allowed_origins = vec![LISTED.parse().unwrap()]).await;
    let own = format!("https://{}", server.address);
    for origin in [LISTED, own.as_str()] {
        let answer = server.get("/api/v1/rooms", &[("origin", origin)]).await;
        assert_eq!(answer.status, 200);
        let named = if origin == LISTED { LISTED } else { "" };
        assert_eq!(answer.header("access-control-allow-origin"), named);
        for path in ["/api/v1/ws", "/api/v1/lobby"] {
            assert!(
                server.socket(path, &[("origin", origin)]).await.is_ok(),
                "{origin} {path}"
            );
        }
    }
    let ask = [
        ("origin", LISTED),
        ("access-control-request-method", "GET"),
        ("access-control-request-private-network", "true"),
    ];
    let preflight = server.request("OPTIONS", "/api/v1/rooms", &ask).await;
    assert_eq!(
        (
            preflight.status,
            preflight.header("access-control-allow-origin")
        ),
        (204, LISTED)
    );
    assert_eq!(
        preflight.header("access-control-allow-private-network"),
        "true"
    );
    for origin in [
        "https://page.example",
        "null",
        "https://evil.example",
        "http://127.0.0.1",
    ] {
        for path in ["/api/v1/rooms", "/api/v1/health"] {
            let answer = server.get(path, &[("origin", origin)]).await;
            assert_eq!(
                (answer.status, &*answer.code()),
                (403, "origin"),
                "{origin}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
        for path in ["/api/v1/ws", "/api/v1/lobby"] {
            let Err(refused) = server.socket(path, &[("origin", origin)]).await else {
                panic!("{origin} {path}")
            };
            assert_eq!(
                (refused.status, &*refused.code()),
                (403, "origin"),
                "{origin} {path}"
            );
        }
        let preflight = server
            .request("OPTIONS", "/api/v1/rooms", &[("origin", origin), ask[1]])
            .await;
        assert_eq!(
            (
                preflight.status,
                preflight.header("access-control-allow-origin")
            ),
            (403, "")
        );
    }
    assert!(
        server.socket("/api/v1/ws", &[]).await.is_ok(),
        "a program has no origin"
    );
    let rebound = server
        .get("/api/v1/rooms", &[("host", "evil.example")])
        .await;
    assert_eq!((rebound.status, &*rebound.code()), (421, "forbidden"));
    server.end().await;

    let server =
        Server::start(|config| config.allowed_origins = vec!["null".parse().unwrap()]).await;
    assert_eq!(
        server
            .get("/api/v1/rooms", &[("origin", "null")])
            .await
            .header("access-control-allow-origin"),
        "null"
    );
    server.end().await;
}

#[tokio::test]
async fn a_proxy_is_believed_only_when_it_is_trusted() {
    let forwarded = [
        ("host", "127.0.0.1"),
        ("x-forwarded-host", "visits.example.org"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "203.0.113.9"),
        ("origin", "https://visits.example.org"),
    ];
    let server =
        Server::start(|config| config.host_names = vec!["visits.example.org".to_owned()]).await;
    let faked = server.get("/api/v1/rooms", &forwarded).await;
    assert_eq!((faked.status, &*faked.code()), (403, "origin"));
    server.end().await;

    let trust = |config: &mut visita_relay::Config| {
        config.host_names = vec!["visits.example.org".to_owned()];
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.connections_per_address = 16;
    };
    let server = Server::start(trust).await;
    assert_eq!(server.get("/api/v1/rooms", &forwarded).await.status, 200);
    let page = server.get("/", &forwarded).await;
    assert!(
        page.header("content-security-policy")
            .contains("wss://visits.example.org;")
    );
    // Each guest behind the proxy has a limit of its own.
    let mut guests = Vec::new();
    for guest in 0..40 {
        let address = format!("203.0.113.{guest}");
        let headers = [("x-forwarded-for", address.as_str())];
        guests.push(server.socket("/api/v1/lobby", &headers).await.ok().unwrap());
    }
    server.end().await;
}

#[tokio::test]
async fn a_public_url_is_an_origin_of_its_own() {
    let server = Server::start(|config| {
        config.public_url = Some("https://visits.example.org".parse().unwrap());
    })
    .await;
    let through = [
        ("host", "visits.example.org"),
        ("origin", "https://visits.example.org"),
    ];
    assert_eq!(server.get("/api/v1/rooms", &through).await.status, 200);
    assert_eq!(server.handle.links()[0], "https://visits.example.org");
    assert_eq!(server.handle.url(), format!("https://{}", server.address));
    server.end().await;
}

#[tokio::test]
async fn metrics_are_for_the_machine_itself_or_for_who_has_the_token() {
    let server =
        Server::start(|config| config.metrics_token = Some("0123456789abcdef".to_owned())).await;
    let local = server.get("/metrics", &[]).await;
    assert_eq!(
        (local.status, local.header("content-type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(
        local.text().contains("visita_connections_total 1\n"),
        "{}",
        local.text()
    );
    let refused = [
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("via", "1.1 x"),
        ("host", "10.0.0.1"),
    ];
    for header in refused {
        assert_eq!(
            server.get("/metrics", &[header]).await.status,
            403,
            "{header:?}"
        );
        let bearer = ("authorization", "Bearer 0123456789abcdef");
        assert_eq!(server.get("/metrics", &[header, bearer]).await.status, 200);
        let wrong = ("authorization", "Bearer 0123456789abcdeg");
        assert_eq!(server.get("/metrics", &[header, wrong]).await.status, 403);
    }
    server.end().await;
}

#[tokio::test]
async fn the_lobby_tells_the_rooms_at_once_and_after_each_change() {
    let server = Server::start(|_| {}).await;
    let mut lobby = server.socket("/api/v1/lobby", &[]).await.ok().unwrap();
    let mut rooms = async || {
        let message = timeout(PATIENCE, futures_util::StreamExt::next(&mut lobby))
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let list: serde_json::Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        assert_eq!(list["type"], "rooms");
        list["rooms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|room| {
                (
                    room["name"].as_str().unwrap().to_owned(),
                    room["members"].as_u64().unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(rooms().await, []);
    let ana = server.member("Bed 7", "Ana").await;
    assert_eq!(rooms().await, [("Bed 7".to_owned(), 1)]);
    let _ben = server.member("bed 7", "Ben").await;
    assert_eq!(rooms().await, [("Bed 7".to_owned(), 2)]);
    ana.close().await;
    assert_eq!(rooms().await, [("Bed 7".to_owned(), 1)]);
    server.end().await;
}

#[tokio::test]
async fn those_who_are_slow_to_speak_are_let_go() {
    let server = Server::start(|config| {
        config.limits.handshake_s = 1;
        config.limits.header_s = 1;
        config.limits.hello_s = 1;
    })
    .await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(&[0x16, 3, 1]).await.unwrap();
    let mut headless = server.connect().await;
    headless
        .write_all(b"GET / HTTP/1.1\r\nhost:")
        .await
        .unwrap();
    let mut buffer = Vec::new();
    let limit = Duration::from_secs(10);
    assert!(matches!(
        timeout(limit, silent.read_to_end(&mut buffer)).await,
        Ok(Ok(0) | Err(_))
    ));
    assert!(timeout(limit, half.read_to_end(&mut buffer)).await.is_ok());
    assert!(
        timeout(limit, headless.read_to_end(&mut buffer))
            .await
            .is_ok()
    );
    let mut speechless = server.wire().await;
    let refused = visita_protocol::control::RelayPacket::Refused {
        code: visita_protocol::error::Code::Timeout,
    };
    assert_eq!(speechless.came().await, common::Came::Packet(refused));
    server.end().await;
}

#[tokio::test]
async fn an_address_that_takes_too_much_is_told_so_and_sessions_go_on() {
    let server = Server::start(|config| config.limits.connections_per_address = 16).await;
    let mut members = Vec::new();
    for number in 0..20 {
        members.push(server.member("r", &format!("m{number}")).await);
    }
    let mut idle = Vec::new();
    for _ in 0..16 {
        idle.push(server.connect().await);
    }
    let refused = server.get("/api/v1/health", &[]).await;
    assert_eq!((refused.status, &*refused.code()), (503, "busy"));
    for member in &mut members {
        member.ping().await;
    }
    drop(idle);
    server.end().await;
}

#[tokio::test]
async fn a_page_may_talk_to_the_relays_that_are_named_and_to_no_other() {
    let server = Server::start(|config| {
        config.connect_origins = vec!["https://other.example:3000".parse().unwrap()];
    })
    .await;
    let page = server.get("/", &[]).await;
    let policy = page.header("content-security-policy");
    let connect = policy
        .split("; ")
        .find(|part| part.starts_with("connect-src"));
    let wanted = format!(
        "connect-src 'self' wss://{} https://other.example:3000 wss://other.example:3000",
        server.address
    );
    assert_eq!(connect, Some(&*wanted));
    server.end().await;
}

#[tokio::test]
async fn a_line_is_measured_with_bytes_that_are_given_and_taken_so_many_and_no_more() {
    let server = Server::start(|_| {}).await;
    let given = server.get("/api/v1/line?bytes=65536", &[]).await;
    assert_eq!((given.status, given.body.len()), (200, 65_536));
    assert_eq!(given.header("cache-control"), "no-store");
    for wrong in ["", "?bytes=", "?bytes=262145", "?bytes=-1", "?kib=4"] {
        let refused = server.get(&format!("/api/v1/line{wrong}"), &[]).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert_eq!(refused.json()["error"]["code"], "malformed", "{wrong}");
    }
    let body = "x".repeat(65_536);
    assert_eq!(server.post("/api/v1/line", &body).await, 204);
    let method = server.request("DELETE", "/api/v1/line", &[]).await;
    assert_eq!(
        (method.status, method.header("allow")),
        (405, "GET, HEAD, POST")
    );
    let too_large = [("content-length", "262145")];
    let refused = server.request("POST", "/api/v1/line", &too_large).await;
    assert_eq!(refused.status, 413);
    let mut given = 0;
    let limited = loop {
        let answer = server.get("/api/v1/line?bytes=262144", &[]).await;
        if answer.status != 200 {
            break answer;
        }
        given += 1;
        assert!(given < 64, "no end to it");
    };
    assert!(given >= 12, "{given} times");
    assert_eq!(limited.status, 429);
    assert_eq!(limited.json()["error"]["code"], "rate_limited");
    assert_eq!(server.get("/api/v1/health", &[]).await.status, 200);
    server.end().await;
}
