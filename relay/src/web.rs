//! What is served over HTTP: pages, API, metrics; and the rules that hold for all of it.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    routing::{delete, get, post},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use visita_protocol::{VERSIONS, control::LobbyMessage, error::Code};

use crate::{
    answer::{self, Body, error, json},
    door, https,
    limits::Place,
    line, lobby, metrics,
    origin::{Asked, Policy, Refusal},
    relay::Shared,
    session, trouble, webrtc, ws,
};

/// Who is at the other end of the socket.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) ip: std::net::IpAddr,
    pub(crate) place: Arc<Place>,
}

/// Everything that the port serves.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/health", get(health))
        .route("/version", get(version))
        .route("/rooms", get(rooms))
        .route("/ca", get(ca))
        .route("/lobby", get(lobby_socket))
        .route("/ws", get(session_socket))
        .route("/webrtc", post(webrtc::take).delete(webrtc::leave))
        .route("/webrtc/way", delete(webrtc::give_up))
        .route("/code", post(door::take))
        .route("/line", get(line::give).post(line::take))
        .route("/https", post(https::open).delete(https::close))
        .route("/https/events", get(https::events))
        .route("/https/packets", post(https::packets))
        .route("/trouble", post(trouble::take));
    Router::new()
        .nest("/api/v1", api)
        .route("/metrics", get(metrics_text))
        .fallback(page)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

/// Lets a request in, or not, and says to browsers what they may do with the answer.
async fn guard(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    metrics::add(&shared.counters.requests, 1);
    let path = request.uri().path();
    let api = path.starts_with("/api/") || path == "/api";
    let peer = request
        .extensions()
        .get::<Peer>()
        .map(|peer| (peer.ip, peer.place.clone()));
    let Some((ip, place)) = peer else {
        return error(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "The relay failed. Try again.",
        );
    };
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let asked = match shared.policy.judge(ip, request.headers(), authority) {
        Ok(asked) => asked,
        Err(Refusal::Host) => {
            let message = "This host isn't known by that name. Use its address, or add the name to host_names or \
                           public_url in the relay's configuration.";
            return secure(
                error(StatusCode::MISDIRECTED_REQUEST, Code::Forbidden, message),
                None,
            );
        }
        Err(Refusal::Origin) if api => {
            let message = "Pages of that origin may not use this relay. Add the origin to allowed_origins in the \
                           relay's configuration.";
            return secure(error(StatusCode::FORBIDDEN, Code::Origin, message), None);
        }
        // A page's own files may be linked from anywhere; without CORS headers no script can read them.
        Err(Refusal::Origin) => Asked {
            address: ip,
            own: shared.public_origin(),
            foreign: None,
        },
    };
    if place.belongs_to(asked.address).is_err() {
        return secure(busy(), None);
    }
    let foreign = asked.foreign.clone();
    let mut response = match preflight(&request) {
        Some(answer) if api && foreign.is_some() => answer,
        _ => {
            request.extensions_mut().insert(asked.clone());
            next.run(request).await
        }
    };
    if api {
        response
            .headers_mut()
            .append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(value) = foreign.and_then(|origin| HeaderValue::try_from(origin.as_str()).ok())
        {
            response
                .headers_mut()
                .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        }
    }
    let policy = content_policy(&shared, &asked);
    secure(response, (!api).then_some(policy))
}

/// The answer to a browser that asks before it asks.
fn preflight(request: &Request) -> Option<Response<Body>> {
    let asks = request
        .headers()
        .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() != Method::OPTIONS || !asks {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, DELETE"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, last-event-id"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
    // A page from the internet that asks a machine of the LAN (Private Network Access).
    if request
        .headers()
        .contains_key("access-control-request-private-network")
    {
        let name = HeaderName::from_static("access-control-allow-private-network");
        headers.insert(name, HeaderValue::from_static("true"));
    }
    Some(response)
}

fn content_policy(shared: &Shared, asked: &Asked) -> HeaderValue {
    // `'self'` covers the own WebSocket only in newer browsers, so it is named too.
    let mut connect = format!("'self' {}", asked.own.socket());
    for other in &shared.config.connect_origins {
        connect = format!("{connect} {other} {}", other.socket());
    }
    // Opus in WebAssembly, for browsers without WebCodecs (`ui/vendor/libopus`).
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src {connect}; img-src 'self' data: blob:; media-src 'self' blob:; \
         worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let strictest = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    HeaderValue::try_from(policy).unwrap_or(strictest)
}

fn secure(mut response: Response<Body>, page_policy: Option<HeaderValue>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    if let Some(policy) = page_policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static(
                "camera=(self), microphone=(self), geolocation=(), display-capture=()",
            ),
        );
        headers.insert(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
    }
    response
}

/// The answer when there is no place.
pub(crate) fn busy() -> Response<Body> {
    let message =
        "This relay has no room for more connections. Close some, or try again in a minute.";
    error(StatusCode::SERVICE_UNAVAILABLE, Code::Busy, message)
}

async fn health() -> Response<Body> {
    json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
}

async fn version(State(shared): State<Arc<Shared>>) -> Response<Body> {
    // Where the page was opened on the host itself, the address by which it was is no use to others.
    let links: Vec<String> = shared.links().iter().map(ToString::to_string).collect();
    let version = serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": VERSIONS,
        "ward": shared.ward(),
        "ward_id": shared.identity.ward_id(),
        "fingerprint": format!("sha256:{}", shared.identity.fingerprint()),
        "links": links,
    });
    json(StatusCode::OK, &version)
}

async fn rooms(State(shared): State<Arc<Shared>>) -> Response<Body> {
    match shared.hub.rooms() {
        LobbyMessage::Rooms { rooms, now_ms } => json(
            StatusCode::OK,
            &serde_json::json!({ "rooms": rooms, "now_ms": now_ms }),
        ),
        LobbyMessage::Unknown => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "The relay failed. Try again.",
        ),
    }
}

async fn ca(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (pem, der) = shared.identity.ca();
    let query = request.uri().query().unwrap_or("");
    let der_wanted = query.split('&').any(|pair| pair == "format=der");
    // By its type iOS and Firefox begin to install it, but not from an attachment.
    let (kind, name, bytes) = if der_wanted {
        (
            "application/x-x509-ca-cert",
            "inline; filename=\"visita-ward.crt\"",
            der.to_vec(),
        )
    } else {
        (
            "application/x-pem-file",
            "attachment; filename=\"visita-ward.pem\"",
            pem.as_bytes().to_vec(),
        )
    };
    let mut response = Response::new(answer::full(bytes.into()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn lobby_socket(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    socket(shared, request, lobby::serve)
}

async fn session_socket(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    socket(shared, request, session::serve)
}

/// Makes a WebSocket of the request and gives it to `serve`, in a task of its own.
fn socket<S, F>(shared: Arc<Shared>, mut request: Request, serve: S) -> Response<Body>
where
    S: FnOnce(Arc<Shared>, ws::Raw, Peer) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let Some(mut peer) = request.extensions().get::<Peer>().cloned() else {
        return error(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "The relay failed. Try again.",
        );
    };
    // Behind a proxy: who is behind it.
    if let Some(asked) = request.extensions().get::<Asked>() {
        peer.ip = asked.address;
    }
    if shared.stopping() {
        let message = "This host is ending its service. Look for another host of the ward.";
        return error(StatusCode::SERVICE_UNAVAILABLE, Code::ShuttingDown, message);
    }
    if !shared.config.carriers.ws {
        let message =
            "This relay takes no WebSockets. Use /api/v1/https, and /api/v1/rooms for the list.";
        return error(StatusCode::FORBIDDEN, Code::Forbidden, message);
    }
    match ws::upgrade(&mut request) {
        Ok((response, upgrading)) => {
            let running = shared.running();
            tokio::spawn(async move {
                if let Some(raw) = upgrading.finish().await {
                    serve(shared, raw, peer).await;
                }
                drop(running);
            });
            response
        }
        Err(ws::Refused::NotAWebSocket) => {
            let message = "This address speaks WebSocket only. Open it with a WebSocket client.";
            error(StatusCode::BAD_REQUEST, Code::Malformed, message)
        }
        Err(ws::Refused::Version) => {
            let message = "Only WebSocket version 13 is spoken here. Update the client.";
            let mut response = error(StatusCode::UPGRADE_REQUIRED, Code::Version, message);
            response.headers_mut().insert(
                header::SEC_WEBSOCKET_VERSION,
                HeaderValue::from_static("13"),
            );
            response
        }
    }
}

async fn metrics_text(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let local = request
        .extensions()
        .get::<Peer>()
        .is_some_and(|peer| Policy::is_local(peer.ip, request.headers()));
    let bearer = shared
        .config
        .metrics_token
        .as_deref()
        .is_some_and(|token| shows(request.headers(), token));
    if !local && !bearer {
        let message = "Metrics are for the machine itself. Ask from there, or set metrics_token and send it as a bearer.";
        return error(StatusCode::FORBIDDEN, Code::Forbidden, message);
    }
    let text = metrics::text(&shared.counters, &shared.gauges());
    answer::text(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        text,
    )
}

/// Whether the request shows the token; how long that takes says nothing about the token.
fn shows(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    shown.is_some_and(|shown| {
        let (shown, token) = (digest(shown), digest(token));
        let differing = shown
            .as_ref()
            .iter()
            .zip(token.as_ref())
            .fold(0, |differing, (a, b)| differing | (a ^ b));
        std::hint::black_box(differing) == 0
    })
}

/// A page or one of its files.
async fn page(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let path = request.uri().path();
    if path.starts_with("/api/") || path == "/api" {
        let message = "There is no such address in this API. See PROTOCOL.md for those there are.";
        return error(StatusCode::NOT_FOUND, Code::UnknownMessage, message);
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return wrong_method(request).await;
    }
    let file = match path.trim_matches('/').to_ascii_lowercase().as_str() {
        "" | "familiar" | "paciente" | "ayuda/certificado" | "ayuda/permisos" => "index.html",
        _ => path.trim_start_matches('/'),
    };
    match shared.assets.get(file, request.headers()).await {
        Some(response) => response,
        None => answer::text(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "There is no such page here. Open / for the rooms, /Familiar/ for visitors or /Paciente/ for patients.\n".to_owned(),
        ),
    }
}

async fn wrong_method(request: Request) -> Response<Body> {
    let (message, methods) = match request.uri().path() {
        "/api/v1/code" | "/api/v1/trouble" | "/api/v1/https/packets" => {
            ("Only POST is answered here.", "POST")
        }
        "/api/v1/line" => ("Only GET and POST are answered here.", "GET, HEAD, POST"),
        "/api/v1/https" | "/api/v1/webrtc" => {
            ("Only POST and DELETE are answered here.", "POST, DELETE")
        }
        "/api/v1/webrtc/way" => ("Only DELETE is answered here.", "DELETE"),
        _ => ("Only GET is answered here.", "GET, HEAD"),
    };
    let mut response = if request.uri().path().starts_with("/api") {
        error(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::UnknownMessage,
            message,
        )
    } else {
        answer::text(
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain; charset=utf-8",
            format!("{message}\n"),
        )
    };
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}
