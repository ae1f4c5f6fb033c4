//! What holds for every page: where forms come from, how long they are, what answers say to a browser.

use doorward_auth::ports::Clock;
use doorward_types::KeyText;
use doorward_web::SiteConfig;
use http::{Method, StatusCode};

use crate::world::{Browser, PASSWORD, With, World};

const LOGIN: [(&str, &str); 2] = [("username", "bob"), ("password", PASSWORD)];

#[tokio::test]
async fn c16_a_form_of_another_site_changes_nothing_also_of_a_sibling() {
    let world = World::new();
    let browser = world.registered("bob").await;
    for lines in [
        &[("sec-fetch-site", "cross-site")] as &[_],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", ""), ("origin", "https://evil.example")],
        &[("sec-fetch-site", ""), ("origin", "https://shop.example.evil.example")],
        &[("sec-fetch-site", ""), ("origin", "null")],
        &[("sec-fetch-site", ""), ("origin", "")],
    ] {
        for path in
            ["/logout", "/login", "/register", "/account/password", "/account/sessions/end-others", "/account/totp"]
        {
            let page = browser.post_with(path, &LOGIN, lines).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {lines:?}");
            assert!(
                page.says("Open the page here") || page.says("Open the page in a current browser"),
                "{}",
                page.text
            );
            assert!(page.sets().is_empty());
        }
    }
    assert_eq!(browser.get("/account").await.status, StatusCode::OK, "still logged in");
    let older = browser.post_with("/logout", &[], &[("sec-fetch-site", "")]).await;
    assert_eq!(older.to(), "/?done=logout", "the origin alone will do for an older browser");
}

#[tokio::test]
async fn c15_a_foreign_form_does_not_count_as_use_of_the_login() {
    let world = World::new();
    let browser = world.registered("bob").await;
    let before = world.sessions("bob").await[0].last_seen;
    world.clock.advance(std::time::Duration::from_secs(120));
    browser.post_with("/chat/ticket", &[], &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(world.sessions("bob").await[0].last_seen, before);
    browser.post("/chat/ticket", &[]).await;
    assert_eq!(world.sessions("bob").await[0].last_seen, world.clock.now());
}

#[tokio::test]
async fn a_program_without_cookies_needs_no_origin() {
    let world = World::new();
    world.registered("bob").await;
    assert_eq!(world.program().post("/api/token", &LOGIN).await.status, StatusCode::OK);
}

#[tokio::test]
async fn c39_c97_every_page_forbids_frames_scripts_of_others_guessing_referers_and_keeping() {
    let world = World::new();
    let browser = world.registered("bob").await;
    for path in ["/", "/login", "/register", "/account", "/account/totp", "/account/nothing", "/console"] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe") && !page.says("<style") && !page.says(" style="), "{path}");
        assert!(!page.text.split("<script").skip(1).any(|rest| !rest.starts_with(" src=\"/assets/")), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
    }
    let plain = Browser { secure: false, host: "localhost:9480".into(), ..world.browser() };
    assert_eq!(plain.get("/").await.header("strict-transport-security"), "", "not over plain HTTP");
}

#[tokio::test]
async fn files_are_kept_by_the_browser_under_names_that_change_with_what_they_hold() {
    let world = World::new();
    let browser = world.browser();
    let page = browser.get("/").await;
    let css = format!(
        "/assets/{}",
        page.between("href=\"/assets/site.", "\"")
            .split_once(".css")
            .map_or_else(String::new, |(hash, _)| format!("site.{hash}.css"))
    );
    let file = browser.get(&css).await;
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(file.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(browser.get("/assets/site.00000000.css").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/assets/..%2fsite.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn over_plain_http_the_page_says_that_no_login_will_be_kept_but_not_on_this_machine() {
    let world = World::new();
    for (host, told) in [("shop.example", true), ("localhost:9480", false), ("127.0.0.1:9480", false)] {
        let browser = Browser { secure: false, host: host.into(), ..world.browser() };
        assert_eq!(browser.get("/login").await.says("will not keep a login here"), told, "{host}");
    }
}

#[tokio::test]
async fn what_is_no_form_is_refused_with_a_sentence() {
    let world = World::new();
    let browser = world.browser();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (lines, body, words) in [
        (&form as &[_], "username=a&username=b", "a field twice"),
        (&form, "username=%zz", "two hexadecimal digits"),
        (&form, "username=%ff", "not UTF-8"),
        (&[("content-type", "text/plain")], "username=a", "is sent as"),
    ] {
        let page = browser.send(Method::POST, "/login", lines, body).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(page.says(words), "{}", page.text);
    }
}

#[tokio::test]
async fn the_site_takes_its_own_pages_and_leaves_the_rest() {
    let world = World::new();
    for (method, path, takes) in [
        (Method::GET, "/", true),
        (Method::HEAD, "/login", true),
        (Method::GET, "/account/anything", true),
        (Method::POST, "/any/gate/ticket", true),
        (Method::GET, "/any/gate/ticket", false),
        (Method::GET, "/chat", false),
        (Method::GET, "/ready", false),
        (Method::GET, "/accounting", false),
        (Method::POST, "/chat", false),
        (Method::DELETE, "/account", false),
        (Method::GET, "/api/token", false),
    ] {
        assert_eq!(world.site.takes(&method, path), takes, "{method} {path}");
    }
}

#[tokio::test]
async fn in_a_shared_domain_a_cookie_of_somebody_elses_is_not_taken_for_the_browsers_own() {
    let config = SiteConfig { cookie_domain: Some("shop.example".into()), ..With::default().config };
    let world = World::with(With { config, ..With::default() });
    let browser = world.registered("bob").await;
    let own = browser.cookie("doorward-browser").unwrap();
    browser.post("/logout", &[]).await;
    browser.post("/login", &LOGIN).await.to();
    assert_eq!(browser.cookie("doorward-browser").unwrap(), own, "one that has been here is");

    let planted = KeyText::Browser.write(&[7; 32]).reveal_text("test").unwrap().to_owned();
    let victim = world.browser();
    victim.jar.lock().unwrap().insert("doorward-browser".into(), planted.clone());
    victim.post("/login", &LOGIN).await.to();
    assert_ne!(victim.cookie("doorward-browser").unwrap(), planted);
}

/// Both cookies of somebody else's login come from a host beside the site's, as its pages can set them in a shared domain.
#[tokio::test]
async fn in_a_shared_domain_a_whole_login_of_somebody_elses_does_not_make_the_browser_theirs() {
    let config = SiteConfig { cookie_domain: Some("shop.example".into()), ..With::default().config };
    let world = World::with(With { config, ..With::default() });
    world.registered("bob").await;
    let mallory = world.registered("mallory").await;
    let planted = ["doorward-session", "doorward-browser"].map(|name| (name, mallory.cookie(name).unwrap()));
    for page in ["/login", "/register"] {
        let victim = world.browser();
        victim.jar.lock().unwrap().extend(planted.clone().map(|(name, value)| (name.to_owned(), value)));
        match page {
            "/login" => victim.post("/login", &LOGIN).await.to(),
            _ => victim.post("/register", &[("username", "victim"), ("new_password", PASSWORD)]).await.to(),
        };
        assert_ne!(victim.cookie("doorward-browser").unwrap(), planted[1].1, "{page}");
    }
}

#[tokio::test]
async fn no_page_has_markup_of_a_users_making() {
    let world = World::new();
    let name = "<b>bob</b>".replace('/', "");
    let browser = world.registered(&name).await;
    let page = browser.get("/account").await;
    assert!(page.says("&#60;b&#62;bob") && !page.says("<b>"), "{}", page.text);
}
