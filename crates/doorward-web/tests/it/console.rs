//! The console: owners see their own, operators everybody's.

use doorward_auth::ports::Role;
use http::StatusCode;

use crate::{
    totp::{Phone, enrol},
    world::{Browser, PASSWORD, Page, World},
};

impl World {
    /// A browser in which an account of that role has just been made, at the site of that host.
    pub(crate) async fn with_role(&self, name: &str, role: Role, owner: &str, host: &str) -> Browser {
        let invitation = self.invited(owner, role).await;
        let browser = Browser { host: host.into(), ..self.browser() };
        let fields = [("username", name), ("new_password", PASSWORD), ("invitation", &invitation)];
        assert_eq!(browser.post("/register", &fields).await.to(), "/account?done=register");
        browser
    }

    pub(crate) async fn owner_browser(&self) -> Browser {
        self.with_role("olga", Role::Owner, "acme", "shop.example").await
    }

    async fn page_of(&self, name: &str) -> String {
        let account = self.account(name).await;
        format!("/console/accounts/{}/{}", account.owner, account.id)
    }
}

#[tokio::test]
async fn the_console_is_not_for_users() {
    let world = World::new();
    let bob = world.registered("bob").await;
    for path in ["/console", "/console/sockets", "/console/gates", "/console/invite", &world.page_of("bob").await] {
        let page = bob.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.says("The console is for the owners of this site."));
        assert_eq!(world.browser().get(path).await.status, StatusCode::SEE_OTHER);
    }
    let own = world.page_of("bob").await;
    for act in ["end", "disable", "enable", "unlock", "totp", "totp/confirm", "totp/remove"] {
        assert_eq!(bob.post(&format!("{own}/{act}"), &[]).await.status, StatusCode::FORBIDDEN, "{act}");
    }
    assert!(!bob.get("/account").await.says(r#"href="/console""#));
}

#[tokio::test]
async fn an_owner_sees_the_accounts_sockets_and_gates_of_that_owner_alone_and_an_operator_all() {
    let world = World::new();
    world.registered("bob").await;
    let stranger = world.with_role("xavier", Role::Owner, "umbrella", "other.example").await;
    let olga = world.owner_browser().await;
    let ada = world.with_role("ada", Role::Operator, "acme", "shop.example").await;
    world.sockets.add(1, world.account("bob").await.id, "bob", None);
    for (browser, sees_bob, sees_xavier) in [(&olga, true, false), (&stranger, false, true), (&ada, true, true)] {
        let page = browser.get("/console").await;
        assert_eq!((page.says(">bob<"), page.says(">xavier<")), (sees_bob, sees_xavier));
        assert_eq!(browser.get("/console/sockets").await.says("<strong>bob</strong>"), sees_bob);
        assert_eq!(browser.get("/console/gates").await.says("till-7"), sees_bob);
    }
    let bob = world.page_of("bob").await;
    assert_eq!(stranger.get(&bob).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.post(&format!("{bob}/disable"), &[]).await.status, StatusCode::NOT_FOUND);
    let socket = world.sockets.ids()[0].to_string();
    let end = [("owner", "acme"), ("id", socket.as_str())];
    assert_eq!(stranger.post("/console/sockets/end", &end).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.sockets.ids().len(), 1);
    assert_eq!(olga.post("/console/sockets/end", &end).await.to(), "/console/sockets?done=1");
    assert!(world.sockets.ids().is_empty());
}

#[tokio::test]
async fn a_gate_can_be_tried_by_who_knows_its_path_and_owners_are_offered_theirs() {
    let world = World::new();
    let stranger = world.browser().get("/try?gate=/chat").await;
    assert!(stranger.says(r#"id="try-open""#) && !stranger.says("data-tickets") && !stranger.says("<option"));
    let bob = world.registered("bob").await.get("/try").await;
    assert!(bob.says("data-tickets") && !bob.says("<option"));
    let olga = world.owner_browser().await;
    assert!(olga.get("/console/gates").await.says(r#"href="/try?gate=/chat""#));
    let offered = olga.get("/try").await;
    assert!(offered.says(r#"<option value="/till/7">"#));
    for (path, kind) in [
        ("/doorward.js", "text/javascript"),
        ("/ninep.js", "text/javascript"),
        ("/assets/try/try.js", "text/javascript"),
        ("/assets/try/try.css", "text/css"),
    ] {
        let file = olga.get(path).await;
        assert!(file.status == StatusCode::OK && file.header("content-type").starts_with(kind), "{path}");
        assert_eq!(file.header("cache-control"), "public, max-age=300");
    }
    assert_eq!(olga.get("/assets/try/../site.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_gate_that_the_page_cannot_speak_with_is_shown_and_not_offered() {
    let world = World::new();
    let olga = world.owner_browser().await;
    let gates = olga.get("/console/gates").await;
    for path in ["/files", "/socket.io/"] {
        assert!(gates.says(&format!("<code>{path}</code>")), "{path}");
        assert!(!gates.says(&format!("/try?gate={path}")), "{path}");
        assert!(!olga.get("/try").await.says(&format!(r#"value="{path}""#)), "{path}");
    }
    assert!(gates.says("<dd>hub, over Socket.IO</dd>") && gates.says("<dd>9p</dd>"));
}

#[tokio::test]
async fn a_gate_whose_path_is_a_pattern_is_offered_as_what_can_be_opened_and_after_those_that_can_be_as_they_are() {
    let world = World::new();
    let olga = world.owner_browser().await;
    let gates = olga.get("/console/gates").await;
    assert!(gates.says("<code>/all/*</code>") && gates.says(r#"href="/try?gate=/all/""#), "{}", gates.text);
    assert!(gates.says(r#"href="/try?gate=/room/{name}""#));
    let page = olga.get("/try").await;
    let offered: Vec<_> = page
        .text
        .split(r#"<option value=""#)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(offered, ["/chat", "/till/7", "/aloud", "/all/", "/room/{name}"]);
}

#[tokio::test]
async fn an_account_that_is_disabled_is_out_at_once_and_comes_back_when_it_is_enabled() {
    let world = World::new();
    let bob = world.registered("bob").await;
    let olga = world.owner_browser().await;
    let page = world.page_of("bob").await;
    olga.post(&format!("{page}/disable"), &[]).await.to();
    assert_eq!(bob.get("/account").await.to(), "/login");
    let refused = world.browser().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(world.log().await.last().unwrap().ends_with("disabled"));
    assert!(olga.get(&page).await.says("disabled"));
    olga.post(&format!("{page}/enable"), &[]).await.to();
    world.logged_in("bob").await;
}

/// A button of such a form is behind another one, which only shows it.
#[tokio::test]
async fn what_cannot_be_taken_back_is_asked_once_more_before_it_is_done() {
    let world = World::new();
    enrol(&world, &world.registered("bob").await).await;
    let olga = world.owner_browser().await;
    let address = world.page_of("bob").await;
    let page = olga.get(&address).await;
    for act in ["disable", "password", "totp/remove"] {
        let form = format!(r#"<form method="post" action="{address}/{act}">"#);
        let (before, _) = page.text.split_once(&form).unwrap();
        let around = before.rsplit_once("<details").map(|(_, around)| around);
        assert!(around.is_some_and(|around| around.contains("</summary>") && !around.contains("</details>")), "{act}");
    }
}

#[tokio::test]
async fn all_logins_of_an_account_end_by_its_owner() {
    let world = World::new();
    let browsers = [world.registered("bob").await, world.logged_in("bob").await];
    let olga = world.owner_browser().await;
    olga.post(&format!("{}/end", world.page_of("bob").await), &[]).await.to();
    for bob in &browsers {
        assert_eq!(bob.get("/account").await.to(), "/login");
    }
    world.logged_in("bob").await;
}

#[tokio::test]
async fn nobody_acts_on_who_may_do_more_nor_on_themselves_from_there() {
    let world = World::new();
    world.with_role("ada", Role::Operator, "acme", "shop.example").await;
    let olga = world.owner_browser().await;
    for name in ["ada", "olga"] {
        let page = world.page_of(name).await;
        assert_eq!(olga.get(&page).await.status, StatusCode::OK);
        for act in ["end", "disable", "totp", "totp/remove", "unlock"] {
            assert_eq!(olga.post(&format!("{page}/{act}"), &[]).await.status, StatusCode::FORBIDDEN, "{name} {act}");
        }
    }
    let invite = olga.post("/console/invite", &[("role", "operator")]).await;
    assert_eq!(invite.status, StatusCode::FORBIDDEN);
    assert!(!olga.get("/console/invite").await.says(r#"value="operator""#));
}

#[tokio::test]
async fn an_invitation_is_a_link_whose_secret_stands_after_the_number_sign() {
    let world = World::by_invitation();
    let olga = world.owner_browser().await;
    let page = olga.post("/console/invite", &[("role", "user")]).await;
    let link = page.between(r#"id="link">"#, "<").to_owned();
    assert!(link.starts_with("https://shop.example/register#dwi_"), "{link}");
    assert!(!olga.get("/console/invite").await.says("dwi_"), "it is shown once");
    let fields = [("username", "bob"), ("new_password", PASSWORD), ("invitation", link.as_str())];
    assert_eq!(world.browser().post("/register", &fields).await.to(), "/account?done=register");
}

#[tokio::test]
async fn an_owner_hands_a_user_an_app_and_takes_a_lost_one_off() {
    let world = World::new();
    let bob = world.registered("bob").await;
    let olga = world.owner_browser().await;
    let page = world.page_of("bob").await;
    let scan = olga.post(&format!("{page}/totp"), &[]).await;
    assert!(scan.says("Let <strong>bob</strong> scan it"));
    let phone = Phone::scan(&scan);
    let done = olga.post(&format!("{page}/totp/confirm"), &[("code", &phone.code(&world))]).await;
    assert!(done.says("Hand over the recovery codes"));
    let half = world.browser().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(half.to(), "/login/code");
    olga.post(&format!("{page}/totp/remove"), &[]).await.to();
    assert_eq!(bob.get("/account").await.to(), "/login", "its logins have ended");
    let bob = world.logged_in("bob").await;
    enrol(&world, &bob).await;
}

#[tokio::test]
async fn what_was_tried_wrong_is_forgotten_by_the_owner() {
    let world = World::new();
    world.registered("bob").await;
    let olga = world.owner_browser().await;
    for number in 0..5 {
        let browser = Browser { source: [198, 51, number, 7].into(), ..world.browser() };
        browser.post("/login", &[("username", "bob"), ("password", "some other password")]).await;
    }
    let page = world.browser().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    olga.post(&format!("{}/unlock", world.page_of("bob").await), &[]).await.to();
    world.logged_in("bob").await;
}

#[tokio::test]
async fn a_socket_and_a_login_look_alike_on_every_page_and_have_buttons_where_who_looks_may_end_them() {
    let world = World::new();
    let (olga, bob) = (world.owner_browser().await, world.registered("bob").await);
    world.sockets.add(1, world.account("bob").await.id, "bob", None);
    let [own, of_bob, all] =
        [bob.get("/account").await, olga.get(&world.page_of("bob").await).await, olga.get("/console/sockets").await];
    let facts = |page: &Page| {
        let rows = page.text.split("<dl>").skip(1).map(|rest| rest.split_once("</dl>").unwrap().0);
        rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let [socket, login] = facts(&own).try_into().unwrap();
    assert_eq!(facts(&of_bob), [socket.clone(), login]);
    assert_eq!(facts(&all), [socket]);
    for (page, buttons) in
        [(&own, &["/account/sockets/end", "/logout"][..]), (&of_bob, &[]), (&all, &["/console/sockets/end"])]
    {
        let rows = page.text.split(r#"<ul class="rows">"#).skip(1).map(|rest| rest.split_once("</ul>").unwrap().0);
        let actions = rows.flat_map(|rows| rows.split(r#"action=""#).skip(1));
        assert_eq!(actions.map(|rest| rest.split('"').next().unwrap()).collect::<Vec<_>>(), buttons);
    }
}
