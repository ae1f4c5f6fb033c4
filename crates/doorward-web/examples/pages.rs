//! The site from memory on `http://localhost:9480`, to look at: `bob` is logged in twice and has sockets, `olga` owns it, `ada`
//! operates it. Everybody's password is `four words, none related`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it is for the eyes of who works on the pages"
)]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/sockets.rs"]
mod sockets;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/world.rs"]
mod world;

use std::{convert::Infallible, sync::Arc, time::SystemTime};

use doorward_auth::{
    account::Work,
    memory::ManualClock,
    ports::{Clock, Invitation, Role, SystemRng},
};
use doorward_types::{KeyText, OwnerId, Timestamp};
use doorward_web::PeerInfo;
use http::{Response, StatusCode, header::HOST};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use world::{NOW, PASSWORD, With, World};

struct Wall;

impl Clock for Wall {
    #[expect(clippy::disallowed_methods, reason = "the one place where this example has a clock from")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let clock = Arc::new(ManualClock::at(NOW));
    let world =
        World::at(With { work: Work::default(), ..With::default() }, Arc::new(Wall), clock, Arc::new(SystemRng));
    for (name, role) in [("olga", Role::Owner), ("ada", Role::Operator)] {
        let text = KeyText::Invitation.write(&(*world.rng).bytes32());
        let text = text.reveal_text("to use it at once").unwrap();
        let invitation =
            Invitation { owner: OwnerId::new("acme"), role, expires_at: Timestamp::from_secs(u64::MAX), first: false };
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        world.ports.accounts.invite(hash.as_ref().try_into().unwrap(), invitation).await.unwrap();
        let browser = world.browser();
        browser.post("/register", &[("username", name), ("new_password", PASSWORD), ("invitation", text)]).await;
    }
    for name in ["bob", "Élodie Martin", "till-7"] {
        world.registered(name).await;
    }
    let bob = world.account("bob").await;
    for number in 1..=2 {
        world.sockets.add(number, bob.id, "bob", None);
    }

    let listener = TcpListener::bind("127.0.0.1:9480").await.unwrap();
    println!("http://localhost:9480, {PASSWORD:?} for bob, olga and ada");
    loop {
        let (stream, from) = listener.accept().await.unwrap();
        let site = Arc::clone(&world.site);
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let site = Arc::clone(&site);
            async move {
                let host =
                    request.headers().get(HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
                let peer = PeerInfo { source: from.ip(), secure: false, host: host.unwrap_or_default() };
                if site.takes(request.method(), request.uri().path()) {
                    return Ok::<_, Infallible>(site.answer(request, peer).await);
                }
                let mut response = Response::default();
                *response.status_mut() = StatusCode::NOT_FOUND;
                Ok(response)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
