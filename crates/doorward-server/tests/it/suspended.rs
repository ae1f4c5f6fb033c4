//! Sockets of Socket.IO that wait for their login to come back: nothing goes through them in either direction, and then they go on.

use tokio::time::Instant;

use crate::{
    logins::{Login, PAGE, Site},
    peer::{Heard, Peer},
    polls::{Polls, ask},
    socketio::emit,
    world::{Carrier, both},
};

const GATES: &str = r#"
    [site]
    enabled = true
    [[gate]]
    name = "ui"
    path = "/socket.io/"
    backend = { hub = {} }
    transport = { socketio = { namespaces = ["/default", "/other"] } }
    on_logout = "suspend"
    ladder = [{ session = {} }]
    [[gate.channel]]
    name = "/default"
    subscribe = "any"
    publish = "any"
    [[gate]]
    name = "closing"
    path = "/closing/"
    backend = { hub = {} }
    transport = { socketio = { namespaces = ["/default"] } }
    ladder = [{ session = {} }]
    [[gate.channel]]
    name = "/default"
    subscribe = "any"
"#;

const LOGGED_OUT: &str = r#"42/default,["doorward",{"event":"suspended","reason":"logged_out"}]"#;
const RESUMED: &str = r#"42/default,["doorward",{"event":"resumed","gap":true}]"#;
const PUBLISH: &str = r#"42/default,["doorward",{"action":"publish","channel":"/default","message":"too late"}]"#;
const NOTHING_DONE: &str = r#"42/default,["doorward",{"event":"error","code":"suspended""#;

/// The lines of a request that a browser's page makes.
fn lines(login: Option<&Login>, browser: u8) -> String {
    let login = login.map(|login| format!("{}; ", login.cookie())).unwrap_or_default();
    format!("Origin: {PAGE}\r\nCookie: {login}__Host-doorward-browser=dwb_{browser}\r\n")
}

impl Site {
    /// Somebody in `/default`, over a WebSocket.
    async fn over_websocket(&self, login: &Login, browser: u8) -> Peer {
        let target = "/socket.io/?EIO=4&transport=websocket";
        let mut peer = self.world.knock(target, &lines(Some(login), browser)).await.unwrap();
        peer.hears_of("0").await;
        peer.say("40/default,").await;
        peer.hears_of(r#"42/default,["doorward",{"event":"admitted""#).await;
        peer
    }

    /// The same over polling.
    async fn over_polling(&self, path: &'static str, login: &Login, browser: u8) -> Polls<'_> {
        let polls = Polls::begins(&self.world, path, &lines(Some(login), browser)).await;
        polls.says("40/default,").await;
        let mut heard = Vec::new();
        while !heard.iter().any(|packet: &String| packet.contains("admitted")) {
            heard.extend(polls.hears().await);
        }
        polls
    }

    async fn suspends(&self, login: &Login) {
        let receipt = self.log_out(login).await;
        assert_eq!((receipt.sockets.len(), receipt.suspended.len()), (0, 1), "{receipt:?}");
    }
}

/// What a peer hears next in its namespace.
async fn next_event(peer: &mut Peer) -> String {
    peer.hears_of("42/default,").await
}

impl Polls<'_> {
    /// What it hears next there.
    async fn next_events(&self) -> Vec<String> {
        let mut heard = self.hears().await;
        heard.retain(|packet| packet.starts_with("42/default,"));
        heard
    }
}

both! {
    async fn over_a_websocket_nothing_goes_through_until_the_login_is_back(carrier: Carrier) {
        let site = Site::with(carrier, GATES).await;
        let (bob, eve) = (site.account("bob").await, site.account("eve").await);
        let (first, hers) = (site.log_in(&bob, 1).await, site.log_in(&eve, 2).await);
        let mut his = site.over_websocket(&first, 1).await;
        let mut hers = site.over_websocket(&hers, 2).await;
        site.suspends(&first).await;
        assert_eq!(his.hear().await, Heard::Text(LOGGED_OUT.to_owned()));
        for said in [PUBLISH, r#"42/default,7["bind",1]"#] {
            his.say(said).await;
            assert!(next_event(&mut his).await.starts_with(NOTHING_DONE));
        }
        his.say("40/other,").await;
        assert_eq!(his.hears_of("44").await, r#"44/other,{"message":"Suspended"}"#);
        emit(&site.world, "\"missed\"");
        assert_eq!(next_event(&mut hers).await, r#"42/default,["happened","missed"]"#, "and nothing of his before it");

        let second = site.log_in_at(&bob, 3, 1).await;
        assert_eq!(next_event(&mut his).await, RESUMED);
        emit(&site.world, "\"heard\"");
        assert_eq!(next_event(&mut his).await, r#"42/default,["happened","heard"]"#);
        assert_eq!(next_event(&mut hers).await, r#"42/default,["happened","heard"]"#);
        his.say(&PUBLISH.replace("too late", "in time")).await;
        assert_eq!(next_event(&mut hers).await, r#"42/default,["message","in time"]"#);
        assert_eq!(site.world.verdicts().await, ["admitted", "admitted", "readmitted"]);
        assert!(site.log_out(&first).await.suspended.is_empty(), "it rests on the new login");
        site.suspends(&second).await;
    }

    async fn over_polling_nothing_goes_through_until_the_login_is_back_though_its_cookie_is_another(carrier: Carrier) {
        let site = Site::with(carrier, GATES).await;
        let bob = site.account("bob").await;
        let first = site.log_in(&bob, 1).await;
        let mut his = site.over_polling("/socket.io/", &first, 1).await;
        site.suspends(&first).await;
        // The browser has no cookie of a login any more.
        his.headers = lines(None, 1);
        assert_eq!(his.next_events().await, [LOGGED_OUT]);
        his.says(PUBLISH).await;
        assert!(his.hears_of("42").await.starts_with(NOTHING_DONE));
        emit(&site.world, "\"missed\"");
        for stranger in [lines(None, 2), format!("Origin: {PAGE}\r\n")] {
            let stranger = Polls { world: &site.world, path: "/socket.io/", sid: his.sid.clone(), headers: stranger };
            assert_eq!(stranger.gets().await.status, 400);
            assert_eq!(stranger.posts("3").await.status, 400);
        }

        let second = site.log_in_at(&bob, 3, 1).await;
        his.headers = lines(Some(&second), 1);
        assert_eq!(his.next_events().await, [RESUMED]);
        emit(&site.world, "\"heard\"");
        assert_eq!(his.next_events().await, [r#"42/default,["happened","heard"]"#]);
        let upgrade = his.target().replace("=polling", "=websocket");
        let mut peer = site.world.knock(&upgrade, &his.headers).await.unwrap();
        peer.say("2probe").await;
        peer.hears_of("3probe").await;
        peer.say("5").await;
        emit(&site.world, "\"over the WebSocket\"");
        assert_eq!(next_event(&mut peer).await, r#"42/default,["happened","over the WebSocket"]"#);
        assert_eq!(site.world.verdicts().await, ["admitted", "readmitted"]);
    }

    async fn a_login_of_somebody_else_or_in_another_browser_brings_nobody_back(carrier: Carrier) {
        let site = Site::with(carrier, GATES).await;
        let (bob, eve) = (site.account("bob").await, site.account("eve").await);
        let first = site.log_in(&bob, 1).await;
        let mut his = site.over_websocket(&first, 1).await;
        site.suspends(&first).await;
        assert_eq!(next_event(&mut his).await, LOGGED_OUT);
        site.log_in_at(&eve, 2, 1).await;
        site.log_in_at(&bob, 3, 2).await;
        his.say(PUBLISH).await;
        assert!(next_event(&mut his).await.starts_with(NOTHING_DONE));
        site.log_in_at(&bob, 4, 1).await;
        assert_eq!(next_event(&mut his).await, RESUMED.replace(",\"gap\":true", ""), "nothing was missed");
    }

    async fn c13_c58_after_a_logout_the_id_of_its_session_and_its_cookie_are_of_no_use(carrier: Carrier) {
        let site = Site::with(carrier, GATES).await;
        let bob = site.account("bob").await;
        let (login, another) = (site.log_in(&bob, 1).await, site.log_in_at(&bob, 2, 1).await);
        let his = site.over_polling("/closing/", &login, 1).await;
        let as_another = Polls { headers: lines(Some(&another), 1), sid: his.sid.clone(), ..his };
        assert_eq!(as_another.gets().await.status, 400, "where nobody waits for a login, another one is another one");
        let (heard, receipt) = tokio::join!(his.hears(), site.log_out(&login));
        assert_eq!((receipt.sockets.len(), receipt.suspended.len()), (1, 0));
        assert_eq!(heard.last().map(String::as_str), Some("41/default,"), "{heard:?}");
        for headers in [lines(Some(&login), 1), lines(None, 1), lines(Some(&another), 1)] {
            let later = Polls { headers, sid: his.sid.clone(), ..his };
            assert_eq!((later.gets().await.status, later.posts("3").await.status), (400, 400));
            let upgrade = later.target().replace("=polling", "=websocket");
            assert_eq!(site.world.knock(&upgrade, &later.headers).await.err().unwrap().status, 400);
        }
        let begins = async |headers: &str| ask(&site.world, "GET", "/closing/?EIO=4&transport=polling", headers, "").await;
        let refused = begins(&lines(Some(&login), 1)).await;
        assert_eq!(refused.status, 401);
        assert!(refused.body.starts_with(r#"{"code":4,"message":"#), "{refused:?}");
        assert_eq!(begins(&lines(Some(&another), 1)).await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn c7_signs_of_life_go_on_while_a_socket_waits_and_prolong_nothing() {
    let site = Site::with(Carrier::Memory, GATES).await;
    let bob = site.account("bob").await;
    let login = site.log_in(&bob, 1).await;
    let mut peer = site.over_websocket(&login, 1).await;
    let polls = site.over_polling("/socket.io/", &login, 1).await;
    assert_eq!(site.log_out(&login).await.suspended.len(), 2);
    let began = Instant::now();
    let mut pings = 0;
    let by_websocket = async {
        loop {
            match peer.hear().await {
                Heard::Text(text) if text == "2" => {
                    pings += 1;
                    peer.say("3").await;
                }
                Heard::Text(text) if text.contains("suspended") => {}
                ended => return ended,
            }
        }
    };
    let by_polling = async {
        let mut pings = 0;
        loop {
            let heard = polls.gets().await;
            match heard.body.as_str() {
                "2" => {
                    pings += 1;
                    polls.says("3").await;
                }
                text if text.contains("suspended") => {}
                _ => return (heard, pings),
            }
        }
    };
    let (by_websocket, (by_polling, by_polling_pings)) = tokio::join!(by_websocket, by_polling);
    let ended = r#"42/default,["doorward",{"event":"ended","code":4410,"reason":"session_ended","reconnect":"never"}]"#;
    assert_eq!(by_websocket, Heard::Text(ended.to_owned()));
    assert!(by_polling.body.starts_with(ended), "{by_polling:?}");
    let waited = began.elapsed().as_secs() / 60;
    assert_eq!(waited, 30, "as long as a login may be idle");
    assert!(pings > 60 && by_polling_pings > 60, "{pings} and {by_polling_pings}");
}
