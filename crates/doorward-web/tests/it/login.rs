//! Logging in and out, and what a browser keeps of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doorward_auth::{memory::ManualClock, ports::Rng};
use doorward_testkit::SeededRng;
use doorward_types::KeyText;
use doorward_web::{SiteConfig, UnknownVisitor};
use http::{Method, StatusCode};

use crate::world::{Browser, NOW, PASSWORD, With, World};

const SESSION: &str = "__Host-doorward-session";
const BROWSER: &str = "__Host-doorward-browser";

#[tokio::test]
async fn a_name_and_a_password_log_in_and_the_name_is_read_as_people_write_it() {
    let world = World::new();
    world.registered("Bob").await;
    let browser = world.browser();
    assert!(browser.get("/login").await.says("Log in"));
    let page = browser.post("/login", &[("username", "bOB"), ("password", PASSWORD), ("next", "/account/key")]).await;
    assert_eq!(page.to(), "/account/key");
    assert!(browser.get("/account").await.says("Bob"));
    assert_eq!(world.sessions("bob").await[0].factors, ["pwd"]);
    assert_eq!(browser.get("/login").await.to(), "/account", "who is logged in is not asked again");
}

#[tokio::test]
async fn the_cookies_are_the_hosts_own_and_the_login_has_no_expiry_date() {
    let world = World::new();
    let browser = world.browser();
    let page = browser.post("/register", &[("username", "bob"), ("new_password", PASSWORD)]).await;
    let lines = page.sets();
    let session = lines.iter().find(|line| line.starts_with(SESSION)).unwrap();
    assert!(session.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{session}");
    let own = lines.iter().find(|line| line.starts_with(BROWSER)).unwrap();
    assert!(own.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000"), "{own}");
    assert!(KeyText::Session.read(&browser.cookie(SESSION).unwrap()).is_ok(), "256 bits of the server's own");
}

#[tokio::test]
async fn the_page_says_whom_to_ask_for_a_new_password_and_why_somebody_is_not_logged_in_any_more() {
    let world = World::new();
    let ended = "Your login in this browser has ended";
    let page = world.browser().get("/login").await;
    assert!(page.says("Password forgotten? Ask an owner of this site") && !page.says(ended));
    let [elsewhere, idle, left] =
        [world.registered("bob").await, world.logged_in("bob").await, world.logged_in("bob").await];
    assert_eq!(left.post("/logout", &[]).await.to(), "/?done=logout");
    idle.post("/account/sessions/end-others", &[]).await.to();
    assert_eq!(elsewhere.get("/account").await.to(), "/login");
    assert!(elsewhere.get("/login").await.says(ended));
    world.clock.advance(Duration::from_secs(24 * 3600));
    assert!(idle.get("/login").await.says(ended));
    assert!(!idle.get("/login?done=reset").await.says(ended), "that is said in other words");
    let wrong = idle.post("/login", &[("username", "bob"), ("password", "some other password")]).await;
    assert!(!wrong.says(ended));
    assert!(!left.get("/login").await.says(ended), "who has logged out knows it");
}

#[tokio::test]
async fn of_more_logins_than_an_account_may_have_the_oldest_gives_way_to_a_browser_and_to_a_program() {
    let config = SiteConfig { sessions_per_account: 2, ..With::default().config };
    let world = World::with(With { config, ..With::default() });
    let first = world.registered("bob").await;
    let second = world.logged_in("bob").await;
    assert_eq!(first.get("/account").await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(1));
    let third = world.logged_in("bob").await;
    assert_eq!(world.sessions("bob").await.len(), 2);
    world.clock.advance(Duration::from_secs(1));
    let fields = [("grant_type", "password"), ("username", "bob"), ("password", PASSWORD)];
    assert_eq!(world.program().post("/api/token", &fields).await.status, StatusCode::OK);
    for gone in [first, second] {
        assert_eq!(gone.get("/account").await.to(), "/login");
    }
    assert_eq!(third.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_id_that_the_client_chose_is_taken_and_ignored() {
    let world = World::new();
    world.registered("bob").await;
    let browser = world.browser();
    let chosen = KeyText::Session.write(&[7; 32]).reveal_text("test").unwrap().to_owned();
    browser.jar.lock().unwrap().insert(SESSION.into(), chosen.clone());
    let fields = [
        ("username", "bob"),
        ("password", PASSWORD),
        ("session", chosen.as_str()),
        ("sid", "00000000000000000000000000000000"),
    ];
    assert_eq!(browser.post("/login", &fields).await.to(), "/account");
    assert_ne!(browser.cookie(SESSION).unwrap(), chosen);
    let attacker = world.browser();
    attacker.jar.lock().unwrap().insert(SESSION.into(), chosen);
    assert_eq!(attacker.get("/account").await.to(), "/login");
}

#[tokio::test]
async fn a_login_gets_a_new_id_and_ends_the_one_before_it_in_the_same_browser() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let (before, own) = (browser.cookie(SESSION).unwrap(), browser.cookie(BROWSER).unwrap());
    let old = world.sessions("bob").await[0].sid;
    browser.post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_ne!(browser.cookie(SESSION).unwrap(), before);
    assert_eq!(browser.cookie(BROWSER).unwrap(), own, "the browser is the same");
    let sessions = world.sessions("bob").await;
    assert_eq!(sessions.len(), 1);
    assert_ne!(sessions[0].sid, old);
    assert!(world.log().await.iter().any(|entry| entry.contains(&old.to_string()) && entry.ends_with("replaced")));
}

#[tokio::test]
async fn c32_unknown_and_wrong_and_disabled_get_the_same_words_and_status() {
    let world = World::new();
    let owner = world.registered("bob").await;
    world.registered("eve").await;
    let eve = world.account("eve").await;
    let ending = doorward_auth::ports::Ending {
        owner: Some(World::owner()),
        what: doorward_auth::ports::What::Rest(eve.subject().rest()),
        why: doorward_auth::ports::Why::Disabled,
        change: Some(doorward_auth::ports::Change::Disable(eve.id)),
        at: doorward_auth::ports::Clock::now(&*world.clock),
    };
    world.ports.revocations.end(ending).await.unwrap();
    drop(owner);
    let browser = world.browser();
    let mut pages = Vec::new();
    // Names of one length: the page has the name in it.
    for (name, password) in [("bob", "some other password"), ("nob", PASSWORD), ("eve", PASSWORD), ("a/b", PASSWORD)] {
        let page = browser.post("/login", &[("username", name), ("password", password)]).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(page.sets().is_empty());
        pages.push((page.text.replace(&format!("value=\"{name}\""), ""), page.headers));
        world.clock.advance(Duration::from_secs(3600));
    }
    assert!(pages[0].0.contains("The username or the password is wrong"));
    for page in &pages {
        assert_eq!(*page, pages[0]);
    }
}

/// Random numbers that count how often they are asked for: once for each password that is compared.
struct Counted(SeededRng, AtomicUsize);

impl Rng for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.fill(bytes);
    }
}

#[tokio::test]
async fn c32_a_password_is_hashed_whether_there_is_such_an_account_or_not() {
    let rng = Arc::new(Counted(SeededRng::new(1), AtomicUsize::new(0)));
    let clock = Arc::new(ManualClock::at(NOW));
    let world = World::at(With::default(), clock.clone(), clock, rng.clone());
    world.registered("bob").await;
    let mut compared = Vec::new();
    for name in ["bob", "nob", "a/b"] {
        let before = rng.1.load(Ordering::SeqCst);
        world.browser().post("/login", &[("username", name), ("password", "some other password")]).await;
        compared.push(rng.1.load(Ordering::SeqCst) - before);
    }
    assert_eq!(compared, [1, 1, 1]);
}

#[tokio::test]
async fn too_many_wrong_tries_are_told_when_to_come_again_whether_there_is_such_an_account_or_not() {
    let world = World::new();
    world.registered("bob").await;
    let mut answers = Vec::new();
    for (name, source) in [("bob", [192, 0, 2, 1]), ("nobody", [192, 0, 2, 2])] {
        let mut browser = world.browser();
        let mut told = Vec::new();
        for number in 0..6 {
            // Another network each time, so that only the name counts.
            browser.source = std::net::IpAddr::from([source[0], number, source[2], source[3]]);
            let page = browser.post("/login", &[("username", name), ("password", "some other password")]).await;
            told.push((page.status, page.header("retry-after").to_owned(), page.says("Try again in 30 seconds.")));
        }
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][4], (StatusCode::UNAUTHORIZED, String::new(), false));
    assert_eq!(answers[0][5], (StatusCode::TOO_MANY_REQUESTS, "30".to_owned(), true));
    world.clock.advance(Duration::from_secs(30));
    let page = world.browser().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(page.to(), "/account", "after the wait a right password is right");
}

#[tokio::test]
async fn c34_a_browser_that_has_been_here_before_is_not_locked_out_by_others() {
    let world = World::new();
    let known = world.registered("bob").await;
    known.post("/logout", &[]).await;
    let mut attacker = world.browser();
    for number in 0..6 {
        attacker.source = std::net::IpAddr::from([198, 51, 100, number]);
        attacker.post("/login", &[("username", "bob"), ("password", "some other password")]).await;
    }
    let stranger = world.browser().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(stranger.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(known.post("/login", &[("username", "bob"), ("password", PASSWORD)]).await.to(), "/account");
}

#[tokio::test]
async fn c45_where_too_many_passwords_are_hashed_at_once_the_rest_is_told_to_come_again_and_none_counts_as_wrong() {
    let world = World::new();
    world.registered("bob").await;
    let places: Vec<_> = std::iter::from_fn(|| world.hashing.place().ok()).collect();
    for name in ["bob", "nob"].repeat(5) {
        let page = world.browser().post("/login", &[("username", name), ("password", PASSWORD)]).await;
        assert_eq!((page.status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
        assert!(page.says("Try again in a few seconds"));
    }
    let page = world.program().post("/api/token", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.json()["error"], "temporarily_unavailable");
    drop(places);
    world.logged_in("bob").await;
}

#[tokio::test]
async fn c45_where_strangers_have_all_places_whoever_was_here_before_still_logs_in() {
    let world = World::new();
    let known = world.registered("bob").await;
    known.post("/logout", &[]).await;
    let _strangers: Vec<_> = std::iter::from_fn(|| world.hashing.place().ok()).collect();
    let right = [("username", "bob"), ("password", PASSWORD)];
    assert_eq!(world.browser().post("/login", &right).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(known.post("/login", &right).await.to(), "/account");
}

#[tokio::test]
async fn a_logout_ends_the_login_durably_and_clears_the_cookie_by_its_own_attributes() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let (cookie, sid) = (browser.cookie(SESSION).unwrap(), world.sessions("bob").await[0].sid);
    let page = browser.post("/logout", &[]).await;
    assert_eq!(page.to(), "/?done=logout");
    assert!(page.sets().contains(&format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0").as_str()));
    assert!(browser.get("/?done=logout").await.says("You are logged out"));
    assert!(browser.cookie(BROWSER).is_some(), "the browser stays the same");
    assert!(world.log().await.iter().any(|entry| entry.contains(&sid.to_string()) && entry.ends_with("logged_out")));
    browser.jar.lock().unwrap().insert(SESSION.into(), cookie);
    assert_eq!(browser.get("/account").await.to(), "/login", "the old cookie opens nothing");
}

#[tokio::test]
async fn a_logout_is_a_post() {
    let world = World::new();
    let browser = world.registered("bob").await;
    assert_eq!(browser.get("/logout").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn c7_a_login_ends_when_it_is_not_used_and_after_its_longest_time_however_much_it_is() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let minutes = |number: u64| Duration::from_secs(60 * number);
    world.clock.advance(minutes(29));
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    world.clock.advance(minutes(29));
    assert_eq!(browser.get("/account").await.status, StatusCode::OK, "each request counts");
    world.clock.advance(minutes(30));
    assert_eq!(browser.get("/account").await.to(), "/login");

    let browser = world.logged_in("bob").await;
    for _ in 0..26 {
        world.clock.advance(minutes(27));
        assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    }
    world.clock.advance(minutes(27));
    assert_eq!(browser.get("/account").await.to(), "/login", "twelve hours are over");
}

#[tokio::test]
async fn the_use_of_a_login_is_noted_once_in_a_twentieth_of_its_idle_time_however_often_it_is_used() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let mut noted = Vec::new();
    for _ in 0..181 {
        assert_eq!(browser.get("/account").await.status, StatusCode::OK);
        noted.push(world.sessions("bob").await[0].last_seen);
        world.clock.advance(Duration::from_secs(1));
    }
    noted.dedup();
    assert_eq!(noted, [0, 90, 180].map(|seconds| NOW.plus(Duration::from_secs(seconds))), "thirty minutes by twenty");
}

#[tokio::test]
async fn a_page_that_only_fetches_its_lists_does_not_keep_a_login_alive() {
    let world = World::new();
    let browser = world.registered("bob").await;
    for _ in 0..29 {
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(browser.get("/account/live").await.status, StatusCode::OK);
    }
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(browser.get("/account").await.to(), "/login");
}

#[tokio::test]
async fn a_page_that_asks_for_a_login_is_come_back_to() {
    let world = World::new();
    world.registered("bob").await;
    let browser = world.browser();
    assert_eq!(browser.get("/account/key").await.to(), "/login?next=/account/key");
    assert!(browser.get("/login?next=/account/key").await.says(r#"name="next" value="/account/key""#));
    assert!(browser.get("/login?next=//evil.example").await.says(r#"name="next" value="/account""#));
}

#[tokio::test]
async fn a_page_beside_the_site_is_come_back_to_by_a_login_and_by_a_new_account() {
    let world = World::new();
    let browser = world.browser();
    assert!(browser.get("/login?next=/shop").await.says(r#"href="/register?next=/shop""#));
    assert!(browser.get("/login").await.says(r#"href="/register""#));
    let page = browser.get("/register?next=/shop").await;
    assert!(page.says(r#"name="next" value="/shop""#) && page.says(r#"href="/login?next=/shop""#), "{}", page.text);
    let wrong = browser.post("/register", &[("username", "bob"), ("new_password", "short"), ("next", "/shop")]).await;
    assert!(wrong.says(r#"name="next" value="/shop""#), "a mistake does not make it forgotten");
    let fields = |next| [("username", "bob"), ("new_password", PASSWORD), ("next", next)];
    assert_eq!(browser.post("/register", &fields("/shop")).await.to(), "/shop");
    assert_eq!(browser.get("/login?next=/shop").await.to(), "/shop");
    let away = [("username", "eve"), ("new_password", PASSWORD), ("next", "//evil.example")];
    assert_eq!(world.browser().post("/register", &away).await.to(), "/account?done=register");
    assert!(!world.browser().get("/register?next=//evil.example").await.says("evil"));
}

#[tokio::test]
async fn an_application_learns_whose_request_it_has_for_as_long_as_the_login_lasts() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let who = async |browser: &Browser| {
        let login = browser.site.login_of(&browser.request(Method::GET, "/shop", &[]), browser.peer()).await;
        login.unwrap().map(|login| login.username)
    };
    assert_eq!(who(&browser).await.as_deref(), Some("bob"));
    assert_eq!(who(&world.browser()).await, None);
    world.clock.advance(Duration::from_mins(20));
    who(&browser).await;
    world.clock.advance(Duration::from_mins(20));
    assert!(who(&browser).await.is_some(), "it was used in between");
    let cookie = browser.cookie(SESSION).unwrap();
    browser.post("/logout", &[]).await;
    browser.jar.lock().unwrap().insert(SESSION.into(), cookie);
    assert_eq!(who(&browser).await, None, "a login that has ended is none");
}

#[tokio::test]
async fn c16_an_application_learns_nothing_of_who_sends_what_another_site_may_have_sent() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let asked = async |method, line| {
        browser.site.login_of(&browser.request(method, "/checkout", &[("sec-fetch-site", line)]), browser.peer()).await
    };
    assert!(asked(Method::POST, "same-origin").await.unwrap().is_some());
    for foreign in ["cross-site", "same-site"] {
        assert!(matches!(asked(Method::POST, foreign).await, Err(UnknownVisitor::Foreign(_))), "{foreign}");
        assert!(asked(Method::GET, foreign).await.unwrap().is_some(), "a link from elsewhere");
    }
}

#[tokio::test]
async fn a_login_at_one_owners_site_is_none_at_anothers() {
    let world = World::new();
    let mut browser = world.registered("bob").await;
    browser.host = "other.example".into();
    assert_eq!(browser.get("/account").await.to(), "/login");
    let page = browser.post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "nor is the account");
}
