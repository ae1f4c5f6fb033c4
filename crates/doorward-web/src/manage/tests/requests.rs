use bytes::Bytes;
use doorward_auth::{
    Scope,
    ports::{Ending, Role, What, Why},
};
use http::{
    Method, Request, StatusCode,
    header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use http_body_util::Full;
use serde_json::json;

use super::{Answer, World, world::NOW};

fn challenge(answer: &Answer) -> &str {
    answer.headers[WWW_AUTHENTICATE].to_str().unwrap()
}

#[tokio::test]
async fn who_shows_no_key_or_one_that_does_not_hold_is_asked_for_one() {
    let world = World::new();
    let nothing = world.ask(Method::GET, "/sockets", None, None).await;
    assert_eq!((nothing.status.as_u16(), challenge(&nothing)), (401, r#"Bearer realm="doorward""#));
    let key = world.master(None).await;
    let wrong = key.replace('0', "1");
    for shown in ["nonsense", "dwa_short", wrong.as_str(), "token:acme:nothing"] {
        let answer = world.get(shown, "/sockets").await;
        assert_eq!(answer.status.as_u16(), 401, "{shown}");
        assert!(challenge(&answer).contains("invalid_token"), "{shown}");
        assert!(!answer.text.contains(shown), "what was shown is not repeated");
    }
    assert_eq!(world.get(&key, "/sockets").await.status, 200);
    let twice = Request::get("/api/v1/sockets").header("authorization", format!("Bearer {key}"));
    let twice = twice.header("authorization", format!("Bearer {key}")).body(Full::default()).unwrap();
    assert_eq!(world.send(twice).await.status.as_u16(), 401, "whose it is nobody can say");
}

#[tokio::test]
async fn a_key_opens_nothing_from_its_expiry_or_its_revocation_on() {
    let world = World::new();
    let master = world.master(None).await;
    let body = json!({ "name": "ci", "scopes": ["sockets:read"], "expires_at": "2100-01-01T00:00:00Z" });
    let made = world.post(&master, "/api-keys", body.clone()).await.json;
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert_eq!(world.get(secret, "/sockets").await.status, 200);
    let gone = world.delete(&master, &format!("/api-keys/{id}")).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(secret, "/sockets").await.status, 401);
    assert_eq!(world.delete(&master, &format!("/api-keys/{id}")).await.status, StatusCode::NO_CONTENT, "it is still");

    let made = world.post(&master, "/api-keys", body).await.json;
    world.clock.set("2100-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(world.get(made["secret"].as_str().unwrap(), "/sockets").await.status, 401);
}

#[tokio::test]
async fn a_key_without_the_scope_is_told_which_it_lacks_for_every_route() {
    let world = World::new();
    let key = world.key(None, &[]).await;
    for route in crate::manage::ROUTES {
        let scopes = route.needs.scopes();
        if scopes.is_empty() {
            continue;
        }
        let path = route.path.replace(['{', '}'], "");
        let answer = world.ask(route.method.clone(), &path, Some(&key), None).await;
        assert_eq!(answer.status.as_u16(), 403, "{path}");
        let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        assert!(challenge(&answer).contains(&format!(r#"scope="{}""#, words.join(" "))), "{path}");
        let all_others: Vec<_> = Scope::ALL.iter().copied().filter(|other| !scopes.contains(other)).collect();
        let others = world.key(None, &all_others).await;
        assert_eq!(world.ask(route.method.clone(), &path, Some(&others), None).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn an_access_token_is_good_for_what_its_account_s_role_may_while_its_login_holds() {
    let world = World::new();
    let tokens = ["user", "owner", "operator"].map(|role| Role::read(role).unwrap());
    let mut by_role = Vec::new();
    for (number, role) in (1..).zip(tokens) {
        let account = world.account("acme", role.as_str(), role).await;
        let session = world.login(&account, number).await;
        by_role.push((format!("token:acme:{}", session.sid), session));
    }
    world.node.admit("acme", 2, "member:7");
    world.node.admit("globex", 4, "member:7");
    let [user, owner, operator] = <[_; 3]>::try_from(by_role).unwrap();
    assert_eq!(world.get(&user.0, "/sockets").await.status, 403);
    assert_eq!(world.get(&owner.0, "/sockets").await.ids("owner"), ["acme"]);
    assert_eq!(world.get(&operator.0, "/sockets").await.ids("owner"), ["acme", "globex"]);

    let what = What::Rest(owner.1.rest());
    let ending = Ending { owner: Some(owner.1.owner), what, why: Why::LoggedOut, change: None, at: NOW };
    world.ports.revocations.end(ending).await.unwrap();
    assert_eq!(world.get(&owner.0, "/sockets").await.status, 401, "the login is over");
}

#[tokio::test]
async fn what_is_no_route_is_not_found_and_another_method_is_named() {
    let world = World::new();
    let key = world.master(None).await;
    for path in ["/", "/nothing", "/sockets/", "/sockets/0/more", "/../v1/sockets", "/sockets%2f0"] {
        let answer = world.get(&key, path).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
    }
    let answer = world.delete(&key, "/accounts").await;
    assert_eq!((answer.status.as_u16(), answer.headers[ALLOW].to_str().unwrap()), (405, "GET, POST"));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_why_and_not_repeated() {
    let world = World::new();
    let key = world.master(None).await;
    let send = async |body: Vec<u8>, kind: &str| {
        let request = Request::post("/api/v1/accounts").header("authorization", format!("Bearer {key}"));
        world.send(request.header(CONTENT_TYPE, kind).body(Full::from(Bytes::from(body))).unwrap()).await
    };
    let json = "application/json";
    assert_eq!(send(b"{}".to_vec(), "text/plain").await.problem().0, "not-json");
    assert_eq!(send(vec![b' '; 65 * 1024], json).await.problem().0, "too-big");
    assert_eq!(send(b"[1]".to_vec(), json).await.problem().0, "bad-input");
    let broken = send(br#"{"username": "bob", "password": "s3cret-s3cret"#.to_vec(), json).await;
    assert_eq!(broken.problem().0, "bad-input");
    assert!(broken.json["detail"].as_str().unwrap().contains("line 1"), "{}", broken.text);
    assert!(!broken.text.contains("s3cret"), "{}", broken.text);
    for twice in [
        r#"{"role": "user", "role": "owner", "username": "bob", "password": "s3cret-s3cret"}"#,
        r#"{"role": "user", "r\u006fle": "owner"}"#,
        r#"{"scopes": [{"a": 1, "a": 2}]}"#,
    ] {
        let answer = send(twice.as_bytes().to_vec(), json).await;
        assert_eq!(answer.problem().0, "bad-input");
        assert!(answer.json["detail"].as_str().unwrap().contains("no name stands twice"), "{}", answer.text);
        assert!(!answer.text.contains("s3cret"), "{}", answer.text);
    }
    let not_utf8 = send(b"{\"username\": \"\xFF\"}".to_vec(), json).await;
    assert_eq!(not_utf8.problem().0, "bad-input");
    let nested = format!("{{\"scopes\": {}", "[".repeat(60_000));
    assert_eq!(send(nested.into_bytes(), json).await.problem().0, "bad-input");
}

#[tokio::test]
async fn a_field_that_is_unknown_missing_or_of_another_form_is_named() {
    let world = World::new();
    let key = world.master(None).await;
    let acme = |more: serde_json::Value| {
        let mut body = json!({ "owner": "acme", "username": "bob", "password": "four words, none related" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, field, hint) in [
        (json!({ "owner": "acme", "password": "four words, none related" }), "username", "name"),
        (acme(json!({ "usrname": "bob" })), "usrname", "`username`"),
        (acme(json!({ "username": 7 })), "username", "text"),
        (acme(json!({ "role": "admin" })), "role", "`owner`"),
        (acme(json!({ "username": "a/b" })), "username", "`/`"),
        (acme(json!({ "password": "short" })), "password", "15"),
        (json!({ "username": "bob", "password": "four words, none related" }), "owner", "operator"),
    ] {
        let answer = world.post(&key, "/accounts", body.clone()).await;
        assert_eq!(answer.problem(), ("bad-input", vec![field]), "{body}");
        let said = answer.json["errors"][0]["hint"].as_str().unwrap();
        assert!(said.contains(hint), "{body}: {said}");
    }
    for (path, field) in [
        ("/sockets?limit=0", "limit"),
        ("/sockets?limit=1001", "limit"),
        ("/sockets?limit=ten", "limit"),
        ("/sockets?after=x", "after"),
        ("/sockets?state=gone", "state"),
        ("/sockets?subject=bob", "subject"),
        ("/sockets?colour=red", "colour"),
        ("/sockets?limit=1&limit=2", "limit"),
        ("/audit?since=yesterday", "since"),
        ("/sessions?account=bob", "account"),
        ("/keys?after=x", "after"),
    ] {
        assert_eq!(world.get(&key, path).await.problem(), ("bad-input", vec![field]), "{path}");
    }
    assert_eq!(world.get(&key, "/sockets?gate=%zz").await.problem().0, "bad-input");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_ten_seconds() {
    struct Never;
    impl http_body::Body for Never {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _context: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
            std::task::Poll::Pending
        }
    }
    let world = World::new();
    let key = world.master(None).await;
    let request = Request::post("/api/v1/end").header("authorization", format!("Bearer {key}")).body(Never).unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(world.api.answer(request).await.status(), 408);
    assert_eq!(began.elapsed().as_secs(), 10);
}
