//! Keys that an issuer publishes: when they are fetched, how long they are used, and what a token can do about it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    Ladder, Rung, Step,
    layers::conversation::jwt::{Jwt, JwtConfig},
    token::{Issuer, IssuerConfig, KeyRing, KeysAt, NotVerified, TokenError},
};
use doorward_testkit::{Publisher, World, script, tokens::TestKey};
use doorward_types::{Answer, Secret};
use serde_json::{Value, json};
use tokio::{
    task::yield_now,
    time::{Instant, advance},
};

use crate::support::claims;

const AT: &str = "https://site.example/keys";
const HALF_A_MINUTE: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// An issuer whose keys are fetched, what it publishes, and what was told of each fetch.
struct Site {
    world: World,
    publisher: Arc<Publisher>,
    ring: Arc<KeyRing>,
    issuer: Arc<Issuer>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn new() -> Self {
        Self::with(Arc::new(Publisher::default()), json!({}))
    }

    fn with(publisher: Arc<Publisher>, more: Value) -> Self {
        let world = World::new();
        let issuer = issuer(more);
        let told = Arc::new(Mutex::new(Vec::new()));
        let ring = {
            let (told, place) = (told.clone(), issuer.key_place().unwrap().clone());
            KeyRing::new(place, publisher.clone(), world.clock.clone(), move |outcome| {
                let line = outcome.as_ref().map_or_else(ToString::to_string, |keys| format!("{keys} keys"));
                told.lock().unwrap().push(line);
            })
        };
        let issuer = Arc::new(issuer.with_keys(ring.clone()));
        Self { world, publisher, ring, issuer, told }
    }

    /// Both clocks go on. What was to end within the first seconds does so then, and not with all the rest.
    async fn pass(&self, time: Duration) {
        let soon = Duration::from_secs(6);
        yield_now().await;
        for time in [soon, time - soon] {
            self.world.clock.advance(time);
            advance(time).await;
        }
    }

    /// What is made of a token that says it is signed with the key `kid`.
    async fn verdict(&self, kid: &str, key: &TestKey) -> &'static str {
        match self.issuer.verify_fetching(&self.token(kid, key), &*self.world.clock).await {
            Ok(token) => {
                assert_eq!(token.subject.pk, "7");
                "taken"
            }
            Err(NotVerified::Broken(TokenError::UnknownKey)) => "unknown key",
            Err(NotVerified::Broken(TokenError::Signature)) => "forged",
            Err(NotVerified::Broken(other)) => panic!("{other}"),
            Err(NotVerified::Unavailable(_)) => "later",
        }
    }

    /// A token that is good for hours.
    fn token(&self, kid: &str, key: &TestKey) -> Secret {
        signed(key, json!({ "kid": kid }))
    }

    fn fetches(&self) -> usize {
        self.publisher.asked().len()
    }
}

fn issuer(more: Value) -> Issuer {
    let mut config = json!({
        "name": "site", "issuer": "https://site.example", "audience": "doorward", "algorithms": ["EdDSA"], "jwks_url": AT,
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config: IssuerConfig = serde_json::from_value(config).unwrap();
    Issuer::build(&config, &World::owner(), &|_| Err("no such file".to_owned())).unwrap()
}

fn signed(key: &TestKey, more: Value) -> Secret {
    let mut header = json!({ "alg": key.alg(), "typ": "at+jwt" });
    header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut claims = claims();
    claims["exp"] = (World::NOW.as_secs() + 100_000).into();
    Secret::from_text(key.sign(&header, &claims))
}

#[tokio::test(start_paused = true)]
async fn a_token_is_verified_with_the_published_key_that_it_names() {
    for key in [TestKey::ed25519(), TestKey::p256(), TestKey::rsa(), TestKey::rsa().into_pss()] {
        let site = Site::with(Arc::default(), json!({ "algorithms": [key.alg()] }));
        let other = match key {
            TestKey::Ed25519(_) => TestKey::ed25519(),
            TestKey::P256(_) => TestKey::p256(),
            _ => TestKey::rsa(),
        };
        site.publisher.publish(&[("other", &other), ("ours", &key)]);
        assert_eq!(site.verdict("ours", &key).await, "taken", "{}", key.alg());
        assert_eq!(site.verdict("other", &key).await, "forged");
        assert_eq!(site.verdict("none", &key).await, "unknown key");
        assert_eq!(*site.told.lock().unwrap(), ["2 keys"]);
        let unnamed = site.issuer.verify_fetching(&signed(&key, json!({})), &*site.world.clock).await;
        assert_eq!(unnamed, Err(TokenError::UnknownKey.into()), "it could mean either");
    }
}

/// C52.
#[tokio::test(start_paused = true)]
async fn c52_nothing_that_a_token_says_is_asked_for() {
    let site = Site::new();
    let key = TestKey::ed25519();
    site.publisher.publish(&[("a", &key)]);
    for kid in [
        "http://169.254.169.254/latest/meta-data",
        "../../etc/passwd",
        "a\r\nHost: evil.example",
        "//evil.example/keys",
        "",
        "\0",
    ] {
        assert_eq!(site.verdict(kid, &key).await, "unknown key");
        site.pass(HALF_A_MINUTE).await;
    }
    let asked = site.publisher.asked();
    assert_eq!(asked.len(), 6);
    assert!(asked.iter().all(|place| place == site.ring.place()), "{asked:?}");
    assert_eq!(site.ring.place().at, KeysAt::Url(AT.to_owned()));
    site.pass(HALF_A_MINUTE).await;
    let odd = |header: Value, claims: Value| {
        let mut all = crate::support::claims();
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let mut whole = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "new" });
        whole.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
        Secret::from_text(key.sign(&whole, &all))
    };
    for (header, claims, broken) in [
        (json!({ "jku": "http://127.0.0.1/" }), json!({}), TokenError::HeaderParameter("jku")),
        (json!({ "x5u": "http://127.0.0.1/" }), json!({}), TokenError::HeaderParameter("x5u")),
        (json!({ "jwk": key.jwk("new") }), json!({}), TokenError::HeaderParameter("jwk")),
        (json!({ "alg": "HS256" }), json!({}), TokenError::Algorithm),
        (json!({ "kid": 7 }), json!({}), TokenError::KeyName),
        (json!({ "kid": ["a"] }), json!({}), TokenError::KeyName),
    ] {
        let verdict = site.issuer.verify_fetching(&odd(header, claims), &*site.world.clock).await;
        assert_eq!(verdict, Err(broken.into()));
        assert_eq!(site.fetches(), 0, "{broken}: it is refused before anybody is asked");
    }
    // An issuer that the token names, and the table does not: the key is ours, so it is asked for at ours.
    let foreign = odd(json!({ "kid": "a" }), json!({ "iss": "http://127.0.0.1:1/realms/evil" }));
    let verdict = site.issuer.verify_fetching(&foreign, &*site.world.clock).await;
    assert_eq!(verdict, Err(TokenError::Issuer.into()));
    assert_eq!(site.fetches(), 0);
}

/// C53.
#[tokio::test(start_paused = true)]
async fn c53_the_same_name_of_a_key_at_two_issuers_is_two_keys() {
    let (ours, theirs) = (Site::new(), Site::new());
    let (our_key, their_key) = (TestKey::ed25519(), TestKey::ed25519());
    ours.publisher.publish(&[("1", &our_key)]);
    theirs.publisher.publish(&[("1", &their_key)]);
    let (first, second) = tokio::join!(ours.verdict("1", &our_key), theirs.verdict("1", &their_key));
    assert_eq!((first, second), ("taken", "taken"));
    assert_eq!(ours.verdict("1", &their_key).await, "forged");
    assert_eq!(theirs.verdict("1", &our_key).await, "forged");
}

/// C54.
#[tokio::test(start_paused = true)]
async fn c54_a_thousand_made_up_names_of_keys_are_one_fetch_in_thirty_seconds() {
    let site = Site::new();
    let key = TestKey::ed25519();
    site.publisher.publish(&[("a", &key)]);
    assert_eq!(site.verdict("a", &key).await, "taken");
    site.publisher.take(Duration::from_secs(2));
    site.pass(HALF_A_MINUTE).await;
    assert_eq!(site.fetches(), 1);
    for made_up in 0..1000 {
        let (bad, good) = tokio::join!(
            async {
                match made_up {
                    // The first one waits for the fetch that it brings about.
                    0 => site.verdict("0", &key).await,
                    _ => site.verdict(&made_up.to_string(), &key).await,
                }
            },
            async {
                let began = Instant::now();
                let verdict = site.verdict("a", &key).await;
                (verdict, began.elapsed())
            }
        );
        assert_eq!((bad, good), ("unknown key", ("taken", Duration::ZERO)));
    }
    assert_eq!(site.fetches(), 1);
    site.pass(HALF_A_MINUTE).await;
    assert_eq!(site.verdict("x", &key).await, "unknown key");
    assert_eq!(site.verdict("y", &key).await, "unknown key");
    assert_eq!(site.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn however_many_wait_for_a_key_it_is_fetched_once_and_the_fetch_outlives_who_began_it() {
    let site = Arc::new(Site::new());
    let key = Arc::new(TestKey::ed25519());
    site.publisher.publish(&[("a", &*key)]);
    site.publisher.take(Duration::from_secs(3));
    let left = tokio::time::timeout(Duration::from_secs(1), site.verdict("a", &key)).await;
    assert!(left.is_err(), "who began it has hung up");
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (site, key) = (site.clone(), key.clone());
        waiting.spawn(async move { site.verdict("a", &key).await });
    }
    let began = Instant::now();
    assert!(waiting.join_all().await.into_iter().all(|verdict| verdict == "taken"));
    assert_eq!((site.fetches(), began.elapsed()), (1, Duration::from_secs(2)));
}

/// C55.
#[tokio::test(start_paused = true)]
async fn c55_known_keys_work_until_they_are_too_old_however_the_issuer_is_down() {
    type Breaks = fn(&Publisher);
    let down: [(&str, Breaks); 6] = [
        ("it is away", Publisher::stop),
        ("it is slow", |publisher| publisher.take(Duration::from_secs(10))),
        ("it never answers", |publisher| publisher.take(HOUR * 1000)),
        ("it is a page", |publisher| publisher.publish_text("<html>maintenance</html>")),
        ("it is empty", |publisher| publisher.publish_text("")),
        ("it has no keys", |publisher| publisher.publish(&[])),
    ];
    for (how, breaks) in down {
        let site = Site::new();
        let key = TestKey::ed25519();
        site.publisher.publish(&[("a", &key)]);
        assert_eq!(site.verdict("a", &key).await, "taken");
        breaks(&site.publisher);
        // Ten minutes fresh, an hour stale.
        for minute in 1..70 {
            site.pass(MINUTE).await;
            let began = Instant::now();
            assert_eq!(site.verdict("a", &key).await, "taken", "{how}, minute {minute}");
            assert_eq!(began.elapsed(), Duration::ZERO, "{how}: nobody waits for it");
        }
        site.pass(MINUTE).await;
        assert_eq!(site.verdict("a", &key).await, "later", "{how}: too old");
        assert!(site.ring.is_empty());
        assert_eq!(site.verdict("b", &key).await, "later", "{how}: nobody can say");
        site.publisher.take(Duration::ZERO);
        site.publisher.publish(&[("a", &key)]);
        site.pass(HALF_A_MINUTE * 2).await;
        assert_eq!(site.verdict("a", &key).await, "taken", "{how}: it is back");
    }
}

/// C55.
#[tokio::test(start_paused = true)]
async fn c55_a_new_key_is_taken_once_it_was_fetched_and_one_that_is_gone_no_more() {
    let site = Site::new();
    let (old, new) = (TestKey::ed25519(), TestKey::ed25519());
    site.publisher.publish(&[("old", &old)]);
    assert_eq!(site.verdict("old", &old).await, "taken");
    site.publisher.publish(&[("new", &new)]);
    assert_eq!(site.verdict("new", &new).await, "unknown key", "the issuer was asked a moment ago");
    assert_eq!(site.verdict("old", &old).await, "taken");
    site.pass(HALF_A_MINUTE).await;
    assert_eq!(site.verdict("new", &new).await, "taken");
    assert_eq!(site.verdict("old", &old).await, "unknown key");
    assert_eq!(site.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_cannot_be_asked_is_no_verdict_on_the_token() {
    let site = Site::new();
    let key = TestKey::ed25519();
    assert_eq!(site.verdict("a", &key).await, "later");
    site.publisher.publish(&[("a", &key)]);
    assert_eq!(site.verdict("a", &key).await, "later", "it is asked again after half a minute");
    site.pass(HALF_A_MINUTE).await;
    assert_eq!(site.verdict("a", &key).await, "taken");
    site.publisher.stop();
    site.pass(HALF_A_MINUTE).await;
    assert_eq!(site.verdict("b", &key).await, "later", "the key may be a new one");
    let told = site.told.lock().unwrap();
    let down = "the key set of the issuer is unavailable: nothing answers there";
    assert_eq!(*told, [down, "1 keys", down]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_before_anybody_needs_them_and_again_before_they_are_old() {
    let site = Site::new();
    let key = TestKey::ed25519();
    site.publisher.publish(&[("a", &key)]);
    assert_eq!(site.ring.refresh(), HALF_A_MINUTE, "the fetch has begun");
    yield_now().await;
    yield_now().await;
    assert_eq!((site.fetches(), site.ring.len()), (1, 1));
    assert_eq!(site.ring.refresh(), MINUTE * 10);
    site.pass(MINUTE * 9).await;
    assert_eq!((site.ring.refresh(), site.fetches()), (MINUTE, 0));
    site.pass(MINUTE).await;
    assert_eq!((site.ring.refresh(), site.ring.len()), (HALF_A_MINUTE, 1), "used while they are fetched again");
}

#[tokio::test(start_paused = true)]
async fn the_issuers_word_on_freshness_counts_between_five_minutes_and_an_hour() {
    for (says, counts) in [(Duration::ZERO, MINUTE * 5), (MINUTE * 7, MINUTE * 7), (HOUR * 24, HOUR)] {
        let site = Site::new();
        let key = TestKey::ed25519();
        site.publisher.publish(&[("a", &key)]);
        site.publisher.call_fresh_for(says);
        assert_eq!(site.verdict("a", &key).await, "taken");
        assert_eq!(site.ring.refresh(), counts);
    }
}

#[tokio::test(start_paused = true)]
async fn neither_a_clock_that_is_set_back_nor_a_machine_that_slept_makes_keys_younger() {
    let site = Site::new();
    let key = TestKey::ed25519();
    site.publisher.publish(&[("a", &key)]);
    assert_eq!(site.verdict("a", &key).await, "taken");
    site.publisher.stop();
    // The wall clock is set back, and time passes all the same.
    site.world.clock.set(World::NOW);
    advance(MINUTE * 71).await;
    assert!(site.ring.is_empty());
    site.publisher.publish(&[("a", &key)]);
    assert_eq!(site.verdict("a", &key).await, "taken");
    site.publisher.stop();
    // Asleep, the machine counts nothing, and the wall clock is right again afterwards.
    site.world.clock.advance(MINUTE * 71);
    assert!(site.ring.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_of_the_layer_does_not_run_while_keys_are_fetched() {
    let limit = Duration::from_secs(5);
    let site = Site::with(Arc::default(), json!({ "fetch_timeout": "20s" }));
    let key = TestKey::ed25519();
    site.publisher.publish(&[("a", &key)]);
    site.publisher.take(limit * 3);
    let config = JwtConfig::default();
    assert_eq!(config.timeout.duration(), limit);
    let layer = Jwt::new(&config, site.issuer.clone(), [].into(), &site.world.ports());
    let ladder = Ladder::new(vec![Rung::One(Step::conversation(layer))]).unwrap();
    let climb = async |answer_after: Duration| {
        let mut peer = site.world.knock(&ladder, World::handshake()).await.unwrap();
        peer.play("< ask jwt: user sends token").await;
        advance(answer_after).await;
        let text = site.token("a", &key).reveal_text("the test's own").unwrap().to_owned();
        peer.say(Answer::to_layer("jwt").with_text("token", text));
        let began = Instant::now();
        let line = peer.hear().await.line;
        (line, began.elapsed(), peer.steps())
    };
    let (line, took, steps) = climb(limit - Duration::from_millis(1)).await;
    assert_eq!((line.as_str(), took), ("admitted member:7", limit * 3), "the token was there in time");
    assert_eq!(steps, script::steps_of(include_str!("../../src/layers/conversation/jwt.rs")));
    assert_eq!(climb(Duration::ZERO).await.0, "admitted member:7");
}

#[tokio::test(start_paused = true)]
async fn whose_keys_cannot_be_fetched_is_told_to_try_later_and_not_that_the_token_is_wrong() {
    let site = Site::new();
    let key = TestKey::ed25519();
    let layer = Jwt::new(&JwtConfig::default(), site.issuer.clone(), [].into(), &site.world.ports());
    let ladder = Ladder::new(vec![Rung::One(Step::conversation(layer))]).unwrap();
    let climb = async |kid: &str| {
        let mut peer = site.world.knock(&ladder, World::handshake()).await.unwrap();
        peer.play("< ask jwt: user sends token").await;
        let text = site.token(kid, &key).reveal_text("the test's own").unwrap().to_owned();
        peer.say(Answer::to_layer("jwt").with_text("token", text));
        peer.hear().await.line
    };
    site.publisher.take(HOUR);
    let began = Instant::now();
    assert_eq!(climb("a").await, "refused try_later");
    assert_eq!(began.elapsed(), Duration::from_secs(5), "a silent issuer is down");
    assert_eq!(climb("a").await, "refused try_later");
    assert_eq!(site.fetches(), 1);
    site.publisher.take(Duration::ZERO);
    site.publisher.publish(&[("a", &key)]);
    site.pass(HALF_A_MINUTE).await;
    assert_eq!(climb("a").await, "admitted member:7");
    assert_eq!(climb("b").await, "refused not_authenticated");
}

#[tokio::test(start_paused = true)]
async fn without_somebody_to_fetch_its_keys_nobody_gets_in_by_an_issuer() {
    let (world, key) = (World::new(), TestKey::ed25519());
    let token = signed(&key, json!({ "kid": "a" }));
    let issuer = issuer(json!({}));
    assert_eq!(issuer.verify(&token, World::NOW), Err(TokenError::UnknownKey));
    assert!(matches!(issuer.verify_fetching(&token, &*world.clock).await, Err(NotVerified::Unavailable(_))));
}
