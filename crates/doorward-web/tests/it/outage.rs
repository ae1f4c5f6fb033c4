//! A store that is down or silent, and bodies that do not come.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use doorward_auth::{
    BoxFuture,
    memory::MemorySite,
    ports::{Attempt, AttemptId, PortError, Reserved, SitePorts, Throttle},
};
use doorward_testkit::Switched;
use doorward_types::{KeyText, OwnerId};
use doorward_web::PeerInfo;
use http::{Request, StatusCode};
use http_body::Frame;
use tokio::time::Instant;

use crate::world::{PASSWORD, With, World};

/// A throttle that cannot count.
enum Broken {
    Down,
    Silent,
}

impl Broken {
    fn answer<'a, T: Send + 'a>(&'a self) -> BoxFuture<'a, Result<T, PortError>> {
        match self {
            Self::Down => Box::pin(async { Err(PortError { port: "throttle", detail: "no disk".into() }) }),
            Self::Silent => Box::pin(std::future::pending()),
        }
    }
}

impl Throttle for Broken {
    fn reserve<'a>(&'a self, _: Attempt) -> BoxFuture<'a, Result<Reserved, PortError>> {
        self.answer()
    }

    fn was_right<'a>(&'a self, _: AttemptId) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer()
    }

    fn forgive<'a>(&'a self, _: &'a OwnerId, _: &'static str, _: [u8; 32]) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer()
    }
}

#[tokio::test]
async fn a_file_is_the_same_for_everybody_so_that_no_store_is_asked_for_one() {
    let switched = Arc::new(Switched::of(Arc::new(MemorySite::default())));
    let store = SitePorts::of(&Arc::new(MemorySite::default()));
    let ports = SitePorts { sessions: switched.clone(), ..store };
    let world = World::with(With { ports: Some(ports), ..With::default() });
    let browser = world.browser();
    let session = KeyText::Session.write(&[7; 32]).reveal_text("a test").unwrap().to_owned();
    browser.jar.lock().unwrap().insert("__Host-doorward-session".into(), session);
    let page = browser.get("/").await;
    let files = ["/doorward.js", "/assets/try/try.css", page.between(r#"href="/assets/site"#, r#"""#)];
    switched.down.store(true, Ordering::SeqCst);
    assert_eq!(browser.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE, "who it is would have to be asked");
    for file in files {
        let file = if file.starts_with('/') { file.to_owned() } else { format!("/assets/site{file}") };
        assert_eq!(browser.get(&file).await.status, StatusCode::OK, "{file}");
    }
    assert_eq!(browser.get("/assets/nothing.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_or_silent_lets_nobody_in_and_the_visitor_is_told_to_come_again() {
    for broken in [Broken::Down, Broken::Silent] {
        let store = SitePorts::of(&Arc::new(MemorySite::default()));
        let ports = SitePorts { throttle: Arc::new(broken), ..store };
        let world = World::with(With { ports: Some(ports), ..With::default() });
        let began = Instant::now();
        let page = world.browser().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
        assert!(began.elapsed() <= Duration::from_secs(15));
        assert_eq!((page.status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
        assert!(page.says("cannot reach its store") && page.sets().is_empty());
        assert!(!page.says("no disk"), "what is wrong is for the log");
        let page = world.program().post("/api/token", &[("username", "bob"), ("password", PASSWORD)]).await;
        assert_eq!(page.json()["error"], "temporarily_unavailable");
    }
}

/// A body of unknown length: so many kilobytes, and then the end or nothing.
struct Trickle {
    left: usize,
    ends: bool,
}

impl http_body::Body for Trickle {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match (self.left, self.ends) {
            (0, true) => Poll::Ready(None),
            (0, false) => Poll::Pending,
            _ => {
                self.left -= 1;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1024])))))
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_waited_for_ten_seconds_and_read_up_to_64_kib_whatever_it_announces() {
    let world = World::new();
    let send = async |left, ends| {
        let request = Request::post("/login").header("content-type", "application/x-www-form-urlencoded");
        let peer = PeerInfo { source: IpAddr::from([192, 0, 2, 7]), secure: true, host: "shop.example".into() };
        world.site.answer(request.body(Trickle { left, ends }).unwrap(), peer).await.status()
    };
    assert_eq!(send(64, true).await, StatusCode::UNAUTHORIZED, "read, and nobody's name");
    assert_eq!(send(65, true).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send(usize::MAX, true).await, StatusCode::PAYLOAD_TOO_LARGE);
    let began = Instant::now();
    assert_eq!(send(1, false).await, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}
