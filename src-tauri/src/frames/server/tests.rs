use tokio_tungstenite::{
    MaybeTlsStream, connect_async,
    tungstenite::{Error, client::IntoClientRequest as _, http::HeaderValue},
};
use visita_media::{
    picture::Draft,
    publish::{self, Publisher},
    source::{Choice, Error as NoPicture, Feed},
};
use visita_protocol::time::MediaTime;

use super::*;

type Page = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Rig {
    feed: Feed,
    board: Arc<Board>,
    shown: watch::Receiver<Shown>,
    endpoint: Endpoint,
}

impl Rig {
    fn new() -> Self {
        let board = Arc::new(Board::default());
        let (sender, shown) = watch::channel(Shown::new());
        let feed = Feed::default();
        let captured = Captured::new(feed.clone());
        let endpoint = serve(board.clone(), sender, Some(captured)).unwrap();
        Self {
            feed,
            board,
            shown,
            endpoint,
        }
    }

    async fn connect(&self, origin: Option<&'static str>) -> Result<Page, Error> {
        let mut request = format!("ws://127.0.0.1:{}/", self.endpoint.port)
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert(ORIGIN, HeaderValue::from_static(origin));
        }
        connect_async(request).await.map(|(page, _)| page)
    }

    async fn page(&self) -> Page {
        let mut page = self.connect(Some("tauri://localhost")).await.unwrap();
        page.send(self.endpoint.token.clone().into()).await.unwrap();
        page
    }
}

fn grey(size: Size, luma: u8, time: u64) -> Picture {
    Draft::filled(size, MediaTime(time), [luma, 128, 128])
        .unwrap()
        .finish()
}

async fn say(page: &mut Page, text: &str) {
    page.send(Message::Text(text.into())).await.unwrap();
}

async fn show(page: &mut Page, member: u32, width: u16, height: u16) {
    let wish = format!(r#"{{"type":"show","member":{member},"width":{width},"height":{height}}}"#);
    say(page, &wish).await;
}

async fn picture(page: &mut Page) -> Bytes {
    loop {
        if let Message::Binary(bytes) = page.next().await.unwrap().unwrap() {
            return bytes;
        }
    }
}

#[tokio::test]
async fn a_picture_arrives_with_its_header_and_its_colours() {
    let rig = Rig::new();
    let mut page = rig.page().await;
    show(&mut page, 7, 640, 360).await;
    rig.board
        .put(7, grey(Size::new(8, 4), 235, 0x0102_0304_0506));
    let bytes = picture(&mut page).await;
    assert_eq!(
        bytes[..HEADER],
        [
            1, 0, 0, 0, 0, 0, 0, 7, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6
        ]
    );
    assert_eq!(bytes.len(), HEADER + 4 * 8 * 4);
    assert!(bytes[HEADER..].iter().all(|&value| value >= 254));
}

#[tokio::test]
async fn what_is_shown_is_told_and_ends_with_the_page() {
    let mut rig = Rig::new();
    let mut page = rig.page().await;
    show(&mut page, 7, 640, 360).await;
    rig.shown
        .wait_for(|shown| shown.get(&7) == Some(&Size::new(640, 360)))
        .await
        .unwrap();
    say(&mut page, "nonsense").await;
    show(&mut page, 9, 64, 36).await;
    rig.shown.wait_for(|shown| shown.len() == 2).await.unwrap();
    say(&mut page, r#"{"type":"hide","member":7}"#).await;
    rig.shown.wait_for(|shown| shown.len() == 1).await.unwrap();
    drop(page);
    rig.shown.wait_for(Shown::is_empty).await.unwrap();
}

#[tokio::test]
async fn a_slow_page_gets_one_picture_and_then_the_newest() {
    let rig = Rig::new();
    let mut page = rig.page().await;
    show(&mut page, 1, 16, 16).await;
    for time in 1..=50 {
        rig.board.put(1, grey(Size::new(16, 16), 100, time));
    }
    let time = |bytes: &Bytes| u64::from_be_bytes(bytes[16..HEADER].try_into().unwrap());
    let first = time(&picture(&mut page).await);
    rig.board.put(1, grey(Size::new(16, 16), 100, 51));
    rig.board.put(1, grey(Size::new(16, 16), 100, 52));
    // Another tile's picture would overtake, were the first tile's not held back.
    show(&mut page, 2, 16, 16).await;
    rig.board.put(2, grey(Size::new(16, 16), 100, 1_000));
    assert_eq!(time(&picture(&mut page).await), 1_000);
    say(&mut page, r#"{"type":"painted","member":1}"#).await;
    let second = time(&picture(&mut page).await);
    assert!(first < 51 || first == 50, "the first was {first}");
    assert_eq!(second, 52);
}

#[tokio::test]
async fn another_origin_a_wrong_token_and_a_binary_token_get_nothing() {
    let rig = Rig::new();
    for origin in [
        None,
        Some("https://evil.example"),
        Some("null"),
        Some("tauri://localhost.evil"),
    ] {
        let Err(Error::Http(response)) = rig.connect(origin).await else {
            panic!("{origin:?} was let in")
        };
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    let wrong = "0".repeat(64);
    let good = rig.endpoint.token.clone();
    for first in [
        Message::text(wrong),
        Message::text(""),
        Message::binary(good.into_bytes()),
    ] {
        let mut page = rig.connect(Some("tauri://localhost")).await.unwrap();
        page.send(first).await.unwrap();
        show(&mut page, 1, 16, 16).await;
        rig.board.put(1, grey(Size::new(16, 16), 100, 1));
        while let Some(Ok(message)) = page.next().await {
            assert!(!message.is_binary(), "a picture for a stranger");
        }
    }
    assert!(rig.shown.borrow().is_empty());
}

#[tokio::test]
async fn a_page_loaded_again_takes_over() {
    let mut rig = Rig::new();
    let mut before = rig.page().await;
    show(&mut before, 1, 16, 16).await;
    rig.shown.wait_for(|shown| shown.len() == 1).await.unwrap();
    let mut after = rig.page().await;
    while let Some(Ok(message)) = before.next().await {
        assert!(!message.is_binary());
    }
    rig.shown.wait_for(Shown::is_empty).await.unwrap();
    show(&mut after, 1, 16, 16).await;
    rig.board.put(1, grey(Size::new(16, 16), 100, 5));
    assert_eq!(picture(&mut after).await[7], 1);
}

#[test]
fn pictures_are_scaled_to_cover_their_tile_and_only_when_it_pays() {
    let hd = Size::new(1280, 720);
    assert_eq!(fit(hd, Size::new(640, 360)), Size::new(640, 360));
    assert_eq!(
        fit(hd, Size::new(320, 320)),
        Size::new(570, 320),
        "covers a square tile"
    );
    assert_eq!(
        fit(hd, Size::new(1000, 600)),
        hd,
        "three quarters aren't worth a blur"
    );
    assert_eq!(fit(hd, Size::new(4000, 3000)), hd, "never larger");
    assert_eq!(fit(hd, Size::new(0, 0)), Size::new(2, 2));
    assert_eq!(
        fit(Size::new(360, 640), Size::new(91, 51)),
        Size::new(92, 162)
    );
}

#[test]
fn the_endpoint_has_a_long_token_that_is_new_each_time() {
    let tokens: std::collections::HashSet<_> = (0..3).map(|_| Rig::new().endpoint.token).collect();
    assert_eq!(tokens.len(), 3);
    assert!(tokens.iter().all(|token| token.len() == 64));
}

/// What the page is told next of its camera.
async fn order(page: &mut Page) -> String {
    loop {
        if let Message::Text(text) = page.next().await.unwrap().unwrap() {
            return text.to_string();
        }
    }
}

#[tokio::test]
async fn the_pages_camera_is_asked_for_and_its_pictures_come() {
    let rig = Rig::new();
    let mut page = rig.page().await;
    assert_eq!(order(&mut page).await, r#"{"type":"capture","on":false}"#);
    let (said, mut events) = tokio::sync::mpsc::unbounded_channel();
    let config = publish::Config {
        source: Choice::Feed(rig.feed.clone()).opener(),
        tracks: Vec::new(),
        limits: publish::Limits::default(),
    };
    let on_event = move |event| drop(said.send(event));
    let publisher = Publisher::start(config, on_event, |_| {}).unwrap();
    assert_eq!(order(&mut page).await, r#"{"type":"capture","on":true}"#);
    for nonsense in [
        &b""[..],
        &[2; 20],
        &[1, 9, 0, 2, 0, 2, 0, 0, 0],
        &[1, 0, 255, 255, 255, 255, 0, 0],
    ] {
        page.send(Message::binary(nonsense.to_vec())).await.unwrap();
    }
    // 4×2 pixels, I420.
    let mut message = vec![1, 0, 0, 4, 0, 2, 0, 0];
    message.extend([200; 8]);
    message.extend([128; 4]);
    page.send(Message::binary(message)).await.unwrap();
    let picture = loop {
        match events.recv().await.unwrap() {
            publish::Event::Picture(picture) => break picture,
            publish::Event::Started { size, .. } => assert_eq!(size, Size::new(4, 2)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(picture.y(), [200; 8]);
    say(&mut page, r#"{"type":"camera","state":"denied"}"#).await;
    let Some(publish::Event::Stopped(error)) = events.recv().await else {
        panic!("it goes on");
    };
    assert_eq!(error, NoPicture::Denied);
    assert_eq!(order(&mut page).await, r#"{"type":"capture","on":false}"#);
    tokio::task::spawn_blocking(move || publisher.stop())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_page_that_goes_takes_its_camera_with_it() {
    let rig = Rig::new();
    let mut page = rig.page().await;
    order(&mut page).await;
    let (said, mut events) = tokio::sync::mpsc::unbounded_channel();
    let config = publish::Config {
        source: Choice::Feed(rig.feed.clone()).opener(),
        tracks: Vec::new(),
        limits: publish::Limits::default(),
    };
    let on_event = move |event| drop(said.send(event));
    let publisher = Publisher::start(config, on_event, |_| {}).unwrap();
    assert_eq!(order(&mut page).await, r#"{"type":"capture","on":true}"#);
    drop(page);
    let Some(publish::Event::Stopped(NoPicture::Lost(_))) = events.recv().await else {
        panic!("it goes on");
    };
    // The page loaded again is asked as well.
    let mut again = rig.page().await;
    while order(&mut again).await != r#"{"type":"capture","on":true}"# {}
    tokio::task::spawn_blocking(move || publisher.stop())
        .await
        .unwrap();
}
