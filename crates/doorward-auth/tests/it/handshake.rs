use std::sync::Arc;

use doorward_auth::{
    Handshake, Ladder, OnExpiry, Rung, Step,
    layers::handshake::{
        bearer::Bearer,
        host::Host,
        origin::{Origin, Origins},
    },
};
use doorward_testkit::{World, script};
use doorward_types::{CloseReason, Rest, Secret};
use serde_json::json;

use crate::support::{at_jwt, claims, issuer, key, later, token};

fn ladder(step: Step) -> Ladder {
    Ladder::new(vec![Rung::One(step)]).unwrap()
}

/// What the peer is told, or `None` where the request passes.
async fn verdict(ladder: &Ladder, handshake: Handshake) -> Option<CloseReason> {
    let knocked = World::new().knock(ladder, handshake).await;
    knocked.err().map(|(refusal, _)| refusal.close_reason())
}

fn from(origin: impl AsRef<[u8]>) -> Handshake {
    Handshake { origin: Some(origin.as_ref().to_vec()), ..World::handshake() }
}

#[tokio::test]
async fn c14_exactly_the_listed_origins_pass() {
    let list = ["https://app.example".to_owned(), "https://dev.example:8443".to_owned()];
    let ladder = ladder(Step::handshake(Origin(Origins::read(Some(&list)).unwrap())));
    let pass = ["https://app.example", "https://APP.Example", "HTTPS://app.example", "https://dev.example:8443"];
    for origin in pass {
        assert_eq!(verdict(&ladder, from(origin)).await, None, "{origin}");
    }
    assert_eq!(verdict(&ladder, World::handshake()).await, None, "a program sends none");
    let refused: [&[u8]; 24] = [
        b"https://evil.example",
        b"null",
        b"NULL",
        b"",
        b"https://app.example.evil.tld",
        b"https://evilapp.example",
        b"https://evil.tld/https://app.example",
        b"http://app.example",
        b"wss://app.example",
        b"https://app.example:444",
        b"https://app.example:443",
        b"https://app.example.",
        b"https://app.example/",
        b"https://app.example/chat",
        b"https://bob@app.example",
        b"https://app.example@evil.tld",
        b"https://app.example https://evil.tld",
        b"https://app.example,https://evil.tld",
        b" https://app.example",
        b"https://dev.example",
        b"app.example",
        b"*",
        b"https://app.exam\xFFple",
        b"https://app.example\0",
    ];
    for origin in refused {
        let told = verdict(&ladder, from(origin)).await;
        assert_eq!(told, Some(CloseReason::NotAllowed), "{}", String::from_utf8_lossy(origin));
    }
}

#[tokio::test]
async fn without_a_list_the_page_has_to_come_from_the_sockets_own_host() {
    let ladder = ladder(Step::handshake(Origin(Origins::read(None).unwrap())));
    let at = |host: &str, port, origin: &str| Handshake { host: host.into(), port, ..from(origin) };
    let pass = [
        at("app.example", None, "https://app.example"),
        at("app.example", None, "http://APP.example"),
        at("app.example", Some(8443), "https://app.example:8443"),
        at("app.example", Some(443), "https://app.example"),
        at("app.example", Some(80), "http://app.example"),
        at("[::1]", Some(8420), "http://[::1]:8420"),
    ];
    for handshake in pass {
        assert_eq!(verdict(&ladder, handshake.clone()).await, None, "{handshake:?}");
    }
    let refused = [
        at("app.example", None, "https://evil.example"),
        at("app.example", None, "https://app.example.evil.example"),
        at("app.example", None, "https://app.example:8443"),
        at("app.example", Some(8443), "https://app.example"),
        at("app.example", Some(8443), "https://app.example:8444"),
        at("app.example", Some(80), "https://app.example"),
        at("app.example", None, "null"),
        at("null", None, "null"),
        at("app.example", None, "https://app.example."),
        at("", None, "https://"),
    ];
    for handshake in refused {
        assert_eq!(verdict(&ladder, handshake.clone()).await, Some(CloseReason::NotAllowed), "{handshake:?}");
    }
}

#[tokio::test]
async fn everyone_means_every_page_but_null() {
    let ladder = ladder(Step::handshake(Origin(Origins::Everyone)));
    assert_eq!(verdict(&ladder, from("https://any.example")).await, None);
    assert_eq!(verdict(&ladder, from("null")).await, Some(CloseReason::NotAllowed));
    assert_eq!(verdict(&ladder, from("https://a/b")).await, Some(CloseReason::NotAllowed));
}

#[tokio::test]
async fn the_request_has_to_be_for_the_owners_host() {
    let ladder = ladder(Step::handshake(Host::new("Owner.Example")));
    let at = |host: &str, port| Handshake { host: host.into(), port, ..World::handshake() };
    for (host, port) in [("owner.example", None), ("OWNER.example", None), ("owner.example", Some(8443))] {
        assert_eq!(verdict(&ladder, at(host, port)).await, None, "{host}");
    }
    for host in ["", "other.example", "owner.example.", "x.owner.example", "owner.example.evil.tld"] {
        assert_eq!(verdict(&ladder, at(host, None)).await, Some(CloseReason::NotAllowed), "{host}");
    }
}

fn bearer(on_expiry: OnExpiry) -> Ladder {
    let issuer = Arc::new(issuer(&key(), json!({})));
    ladder(Step::handshake(Bearer::new(issuer, ["groups".to_owned()].into(), on_expiry, &World::new().ports())))
}

fn with_bearer(token: String) -> Handshake {
    Handshake { bearer: Some(Secret::from_text(token)), ..World::handshake() }
}

#[tokio::test(start_paused = true)]
async fn a_bearer_token_proves_its_subject_and_what_it_rests_on() {
    let mut claims = claims();
    claims["sid"] = "login-1".into();
    claims["groups"] = json!(["a", "b"]);
    claims["secret_of_the_site"] = "not for us".into();
    let token = key().sign(&at_jwt(&key()), &claims);
    for (on_expiry, expires_at) in [(OnExpiry::Close, Some(later(60))), (OnExpiry::Keep, None)] {
        let mut peer = World::new().knock(&bearer(on_expiry), with_bearer(token.clone())).await.unwrap();
        let admission = peer.play("< admitted member:7").await.unwrap().admission.unwrap();
        let rests: Vec<_> = admission.rests_on().iter().map(Rest::to_string).collect();
        assert_eq!(rests, ["gate=fancy", "subject=member:7", "jti=token-1", "sid=login-1", "issuer=site"]);
        assert_eq!(admission.expires_at(), expires_at);
        assert_eq!(
            admission.claims().iter().collect::<Vec<_>>(),
            [(&"groups".to_owned(), &vec!["a".to_owned(), "b".into()])]
        );
        assert_eq!(admission.evidence()[0].amr, ["jwt"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bearer_token_that_is_missing_or_wrong_is_refused_before_the_socket_opens() {
    let ladder = bearer(OnExpiry::Close);
    let wrong = [
        World::handshake(),
        with_bearer(String::new()),
        with_bearer(token(&key()) + "A"),
        with_bearer("x".repeat(9000)),
    ];
    for handshake in wrong {
        assert_eq!(verdict(&ladder, handshake).await, Some(CloseReason::NotAuthenticated));
    }
}

#[tokio::test(start_paused = true)]
async fn each_handshake_layer_takes_the_step_of_its_script() {
    let world = World::new();
    let bearer_token = with_bearer(token(&key()));
    let origins = Origins::Everyone;
    let layers = [
        (ladder(Step::handshake(Origin(origins))), include_str!("../../src/layers/handshake/origin.rs")),
        (ladder(Step::handshake(Host::new("app.example"))), include_str!("../../src/layers/handshake/host.rs")),
        (bearer(OnExpiry::Close), include_str!("../../src/layers/handshake/bearer.rs")),
    ];
    for (ladder, source) in layers {
        let peer = world.knock(&ladder, bearer_token.clone()).await.unwrap();
        assert_eq!(peer.steps(), script::steps_of(source));
    }
}
