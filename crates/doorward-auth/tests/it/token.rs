//! Tokens: the good ones, and every attack with the rule that refuses it.

use doorward_auth::token::{Issuer, TokenError};
use doorward_testkit::{World, tokens::TestKey};
use doorward_types::{Secret, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{at_jwt, claims, issuer, key, later, token};

fn verify(issuer: &Issuer, token: &str) -> Result<String, TokenError> {
    issuer.verify(&Secret::from_text(token), World::NOW).map(|token| token.subject.to_string())
}

/// The claims of a good token, with these over them; `null` takes one out.
fn with(over: Value) -> Value {
    let mut claims = claims();
    for (name, value) in over.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

#[test]
fn a_good_token_of_every_family_is_taken() {
    for key in [key(), TestKey::ed25519(), TestKey::p256(), TestKey::rsa(), TestKey::rsa().into_pss()] {
        assert_eq!(verify(&issuer(&key, json!({})), &token(&key)), Ok("member:7".into()), "{}", key.alg());
    }
}

#[test]
fn what_a_token_says_is_kept_only_where_a_rule_names_it() {
    let more =
        json!({ "sid": "login-1", "groups": ["a", 3, {"x": 1}, null], "level": 2, "name": "Bob", "admin": true });
    let token = key().sign(&at_jwt(&key()), &with(more));
    let token = issuer(&key(), json!({ "uuid_claim": "name", "subject_kind": "user" }))
        .verify(&Secret::from_text(token), World::NOW)
        .unwrap();
    assert_eq!(
        (token.subject.kind.as_str(), token.subject.pk.as_str(), token.subject.uuid.as_str()),
        ("user", "7", "Bob")
    );
    assert_eq!((token.id.as_deref(), token.sid.as_deref()), (Some("token-1"), Some("login-1")));
    assert_eq!(token.expires_at, later(60));
    let kept = token.keep(["groups", "level", "admin", "absent"]);
    let kept: Vec<_> = kept.iter().map(|(name, values)| (name.as_str(), values.join(" "))).collect();
    assert_eq!(kept, [("admin", String::new()), ("groups", "a 3".into()), ("level", "2".into())]);
}

#[test]
fn c50_every_attack_on_the_header_is_refused_by_its_rule() {
    let (rsa, ours) = (TestKey::rsa(), key());
    let public = rsa.public_pem();
    let alg = |alg: &str| json!({ "alg": alg, "typ": "at+jwt" });
    let with_header = |name: &str, value: Value| {
        let mut header = at_jwt(&ours);
        header[name] = value;
        ours.sign(&header, &claims())
    };
    let rows = [
        ("alg none", TestKey::None.sign(&alg("none"), &claims()), TokenError::Segments),
        ("alg none with a signature", ours.sign(&alg("none"), &claims()), TokenError::Algorithm),
        ("alg None", ours.sign(&alg("None"), &claims()), TokenError::Algorithm),
        ("alg NONE", ours.sign(&alg("NONE"), &claims()), TokenError::Algorithm),
        ("alg nOnE", ours.sign(&alg("nOnE"), &claims()), TokenError::Algorithm),
        ("alg empty", ours.sign(&alg(""), &claims()), TokenError::Algorithm),
        ("alg in another case", ours.sign(&alg("hs256"), &claims()), TokenError::Algorithm),
        ("no alg", ours.sign(&json!({ "typ": "at+jwt" }), &claims()), TokenError::Algorithm),
        ("alg a list", ours.sign(&json!({ "alg": ["HS256"], "typ": "at+jwt" }), &claims()), TokenError::Algorithm),
        ("an algorithm of the family that is not listed", ours.sign(&alg("HS512"), &claims()), TokenError::Algorithm),
        ("jwk", with_header("jwk", json!({ "kty": "oct", "k": "AA" })), TokenError::HeaderParameter("jwk")),
        ("jku", with_header("jku", json!("https://evil.example/jwks")), TokenError::HeaderParameter("jku")),
        ("x5u", with_header("x5u", json!("https://evil.example/x")), TokenError::HeaderParameter("x5u")),
        ("x5c", with_header("x5c", json!(["AA"])), TokenError::HeaderParameter("x5c")),
        ("unknown crit", with_header("crit", json!(["exp"])), TokenError::HeaderParameter("crit")),
        ("empty crit", with_header("crit", json!([])), TokenError::HeaderParameter("crit")),
        ("b64", with_header("b64", json!(false)), TokenError::HeaderParameter("b64")),
        ("zip", with_header("zip", json!("DEF")), TokenError::HeaderParameter("zip")),
        ("no typ", ours.sign(&json!({ "alg": "HS256" }), &claims()), TokenError::Type),
        ("typ JWT", with_header("typ", json!("JWT")), TokenError::Type),
        ("typ of a logout token", with_header("typ", json!("logout+jwt")), TokenError::Type),
        ("typ a number", with_header("typ", json!(1)), TokenError::Type),
        (
            "alg twice",
            ours.sign_text(r#"{"alg":"none","alg":"HS256","typ":"at+jwt"}"#, &claims().to_string()),
            TokenError::Json("header"),
        ),
        ("header a list", ours.sign_text("[]", &claims().to_string()), TokenError::Json("header")),
        ("header with an end", ours.sign_text(r#"{"alg":"HS256","typ":"at+jwt"}{}"#, "{}"), TokenError::Json("header")),
        ("another secret", TestKey::secret(&[b'x'; 32]).sign(&at_jwt(&ours), &claims()), TokenError::Signature),
        ("an empty secret", TestKey::secret(b"").sign(&at_jwt(&ours), &claims()), TokenError::Signature),
    ];
    let issuer = issuer(&ours, json!({}));
    for (attack, token, rule) in rows {
        assert_eq!(verify(&issuer, &token), Err(rule), "{attack}");
    }
    let rsa_issuer = crate::support::issuer(&rsa, json!({}));
    let confused = TestKey::secret(public.as_bytes()).sign(&alg("HS256"), &claims());
    assert_eq!(verify(&rsa_issuer, &confused), Err(TokenError::Algorithm), "HS256 with the RSA public key");
    let confused = TestKey::secret(public.as_bytes()).sign(&alg("RS256"), &claims());
    assert_eq!(verify(&rsa_issuer, &confused), Err(TokenError::Signature), "an HMAC that says RS256");
    let pss = rsa.into_pss();
    assert_eq!(verify(&rsa_issuer, &token(&pss)), Err(TokenError::Algorithm), "PS256 where RS256 is listed");
}

#[test]
fn c50_every_attack_on_the_form_is_refused_by_its_rule() {
    let issuer = issuer(&key(), json!({}));
    let good = token(&key());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three segments") };
    let rows = [
        ("empty", String::new(), TokenError::Segments),
        ("two segments", format!("{header}.{claims}"), TokenError::Segments),
        ("a fourth segment", format!("{good}.{signature}"), TokenError::Segments),
        ("an encrypted token has five", format!("{header}.AA.AA.{claims}.{signature}"), TokenError::Segments),
        ("an empty fourth segment", format!("{good}."), TokenError::Segments),
        ("padding", format!("{good}="), TokenError::Encoding("signature")),
        ("a space before", format!(" {good}"), TokenError::Encoding("header")),
        ("a line end after", format!("{good}\n"), TokenError::Encoding("signature")),
        ("a line end inside", format!("{header}.{claims}\n.{signature}"), TokenError::Encoding("claims")),
        ("too long", "a".repeat(8 * 1024 + 1), TokenError::TooLong),
        ("the scheme before it", format!("Bearer {good}"), TokenError::Encoding("header")),
    ];
    for (attack, token, rule) in rows {
        assert_eq!(verify(&issuer, &token), Err(rule), "{attack}");
    }
    let bytes = issuer.verify(&Secret::new(vec![0xFF, b'.', b'.']), World::NOW);
    assert_eq!(bytes.unwrap_err(), TokenError::NotText);
    // The last character of an HS256 signature has four spare bits: a lax reader takes sixteen spellings for one signature.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.iter().position(|digit| good.as_bytes().last() == Some(digit)).unwrap();
    let mut respelled = good.clone();
    respelled.pop();
    respelled.push(char::from(alphabet[place + 1]));
    assert_eq!(verify(&issuer, &respelled), Err(TokenError::Encoding("signature")), "non-canonical base64");
}

#[test]
fn c50_every_attack_on_the_claims_is_refused_by_its_rule() {
    let now = World::NOW.as_secs();
    let form = TokenError::ClaimForm;
    let rows = [
        ("no exp", json!({ "exp": null }), TokenError::Missing("exp")),
        ("no iat", json!({ "iat": null }), TokenError::Missing("iat")),
        ("no iss", json!({ "iss": null }), TokenError::Missing("iss")),
        ("no aud", json!({ "aud": null }), TokenError::Missing("aud")),
        ("no sub", json!({ "sub": null }), TokenError::Missing("sub")),
        ("exp a text", json!({ "exp": (now + 60).to_string() }), form("exp")),
        ("exp a float", json!({ "exp": (now + 60) as f64 + 0.5 }), form("exp")),
        ("exp a whole float", json!({ "exp": (now + 60) as f64 }), form("exp")),
        ("exp negative", json!({ "exp": -1 }), form("exp")),
        ("exp 2^64", json!({ "exp": 18_446_744_073_709_551_616.0_f64 }), form("exp")),
        ("exp true", json!({ "exp": true }), form("exp")),
        ("nbf a text", json!({ "nbf": "0" }), form("nbf")),
        ("nbf a float", json!({ "nbf": 0.5 }), form("nbf")),
        ("nbf negative", json!({ "nbf": -1 }), form("nbf")),
        ("iat a text", json!({ "iat": "0" }), form("iat")),
        ("iat a float", json!({ "iat": 1.5 }), form("iat")),
        ("iat negative", json!({ "iat": -1 }), form("iat")),
        ("expired", json!({ "exp": now - 5 }), TokenError::Expired),
        ("not valid yet", json!({ "nbf": now + 6 }), TokenError::NotYet),
        ("not valid for ages", json!({ "nbf": u64::MAX }), TokenError::NotYet),
        ("issued in the future", json!({ "iat": now + 6 }), TokenError::IssuedInFuture),
        ("another issuer", json!({ "iss": "https://evil.example" }), TokenError::Issuer),
        ("the issuer with a slash", json!({ "iss": "https://site.example/" }), TokenError::Issuer),
        ("the issuer in a list", json!({ "iss": ["https://site.example"] }), form("iss")),
        ("another audience", json!({ "aud": "other" }), TokenError::Audience),
        ("an audience that begins like ours", json!({ "aud": "doorward2" }), TokenError::Audience),
        ("other audiences", json!({ "aud": ["a", "b"] }), TokenError::Audience),
        ("no audience in the list", json!({ "aud": [] }), TokenError::Audience),
        ("an audience list with a number", json!({ "aud": ["doorward", 1] }), form("aud")),
        ("aud an object", json!({ "aud": { "doorward": 1 } }), form("aud")),
        ("sub empty", json!({ "sub": "" }), form("sub")),
        ("sub a number", json!({ "sub": 7 }), form("sub")),
        ("sub with a control character", json!({ "sub": "7\n8" }), TokenError::Subject),
        ("sub too long", json!({ "sub": "7".repeat(256) }), TokenError::Subject),
        ("jti a number", json!({ "jti": 1 }), form("jti")),
        ("jti empty", json!({ "jti": "" }), form("jti")),
        ("sid a list", json!({ "sid": ["x"] }), form("sid")),
    ];
    let issuer = issuer(&key(), json!({}));
    for (attack, over, rule) in rows {
        let token = key().sign(&at_jwt(&key()), &with(over));
        assert_eq!(verify(&issuer, &token), Err(rule), "{attack}");
    }
    let texts = [
        ("a claim twice", claims().to_string().replace(r#""sub":"7""#, r#""sub":"7","sub":"1""#)),
        ("exp 2^64 as a whole number", claims().to_string().replace(&(now + 60).to_string(), "18446744073709551616")),
        ("claims a list", "[]".to_owned()),
        ("claims a text", "\"x\"".to_owned()),
    ];
    for (attack, text) in texts {
        let refused = verify(&issuer, &key().sign_text(&at_jwt(&key()).to_string(), &text));
        assert!(
            matches!(refused, Err(TokenError::Json("claims") | TokenError::ClaimForm("exp"))),
            "{attack}: {refused:?}"
        );
    }
}

#[test]
fn clocks_may_be_five_seconds_apart_and_no_more() {
    let now = World::NOW.as_secs();
    let issuer = issuer(&key(), json!({}));
    let token = |over| key().sign(&at_jwt(&key()), &with(over));
    assert!(verify(&issuer, &token(json!({ "exp": now - 4 }))).is_ok());
    assert!(verify(&issuer, &token(json!({ "nbf": now + 5 }))).is_ok());
    assert!(verify(&issuer, &token(json!({ "iat": now + 5 }))).is_ok());
}

#[test]
fn the_audience_may_be_one_of_a_list_and_the_type_may_be_spelled_out() {
    let issuer = issuer(&key(), json!({}));
    assert!(verify(&issuer, &key().sign(&at_jwt(&key()), &with(json!({ "aud": ["x", "doorward"] })))).is_ok());
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(verify(&issuer, &key().sign(&json!({ "alg": "HS256", "typ": typ }), &claims())).is_ok(), "{typ}");
    }
}

#[test]
fn c51_tokens_for_other_ends_are_refused_though_their_signature_is_good() {
    let jwt = json!({ "alg": "HS256", "typ": "JWT" });
    let keycloak = issuer(&key(), json!({ "profile": "keycloak" }));
    let with_typ = |typ: &str| with(json!({ "typ": typ }));
    assert_eq!(verify(&keycloak, &key().sign(&jwt, &with_typ("Bearer"))), Ok("member:7".into()));
    let not = Err(TokenError::NotAnAccessToken);
    for typ in ["Refresh", "ID", "Offline", "Logout", "bearer", ""] {
        assert_eq!(verify(&keycloak, &key().sign(&jwt, &with_typ(typ))), not, "{typ}");
    }
    assert_eq!(verify(&keycloak, &key().sign(&jwt, &claims())), not, "without a claim `typ`");
    assert_eq!(verify(&keycloak, &key().sign(&jwt, &with(json!({ "typ": ["Bearer"] })))), not);
    assert_eq!(verify(&keycloak, &key().sign(&at_jwt(&key()), &with_typ("Bearer"))), Err(TokenError::Type));
    let logout = json!({ "alg": "HS256", "typ": "logout+jwt" });
    assert_eq!(verify(&keycloak, &key().sign(&logout, &with_typ("Bearer"))), Err(TokenError::Type));
    let event = json!({ "typ": "Bearer", "events": { "http://schemas.openid.net/event/backchannel-logout": {} } });
    assert_eq!(verify(&keycloak, &key().sign(&jwt, &with(event))), not, "a logout token in the clothes of another");

    let oauth = issuer(&key(), json!({}));
    for over in [
        json!({ "token_type": "refresh" }),
        json!({ "token_type": 1 }),
        json!({ "typ": "Refresh" }),
        json!({ "typ": "ID" }),
        json!({ "events": {} }),
    ] {
        assert_eq!(verify(&oauth, &key().sign(&at_jwt(&key()), &with(over.clone()))), not, "{over}");
    }
    assert!(verify(&oauth, &key().sign(&at_jwt(&key()), &with(json!({ "token_type": "Bearer" })))).is_ok());

    let plain = issuer(&key(), json!({ "profile": "plain" }));
    assert_eq!(verify(&plain, &key().sign(&jwt, &claims())), Ok("member:7".into()));
    assert_eq!(verify(&plain, &key().sign(&json!({ "alg": "HS256" }), &claims())), Ok("member:7".into()));
    for over in
        [json!({ "typ": "Refresh" }), json!({ "nonce": "n" }), json!({ "at_hash": "h" }), json!({ "c_hash": "h" })]
    {
        assert_eq!(verify(&plain, &key().sign(&jwt, &with(over.clone()))), not, "{over}");
    }
    assert_eq!(
        verify(&plain, &key().sign(&json!({ "alg": "HS256", "typ": "secevent+jwt" }), &claims())),
        Err(TokenError::Type)
    );
}

#[test]
fn c51_where_clients_are_listed_a_token_of_another_client_is_refused() {
    let issuer = issuer(&key(), json!({ "clients": ["app", "cli"] }));
    let verdict = |over| verify(&issuer, &key().sign(&at_jwt(&key()), &with(over)));
    assert!(verdict(json!({ "azp": "app" })).is_ok());
    assert!(verdict(json!({ "client_id": "cli" })).is_ok());
    for over in
        [json!({}), json!({ "azp": "other" }), json!({ "azp": "other", "client_id": "app" }), json!({ "azp": ["app"] })]
    {
        assert_eq!(verdict(over.clone()), Err(TokenError::Client), "{over}");
    }
}

#[test]
fn the_subject_may_be_named_by_another_claim() {
    let issuer = issuer(&key(), json!({ "subject_claim": "user_id", "uuid_claim": "name" }));
    let verdict = |over| issuer.verify(&Secret::from_text(key().sign(&at_jwt(&key()), &with(over))), World::NOW);
    assert_eq!(verdict(json!({ "user_id": 3, "name": "bob" })).unwrap().subject.pk, "3");
    for over in [
        json!({ "name": "bob" }),
        json!({ "user_id": 3 }),
        json!({ "user_id": 3.0, "name": "bob" }),
        json!({ "user_id": -3, "name": "bob" }),
        json!({ "user_id": [3], "name": "bob" }),
        json!({ "user_id": "", "name": "bob" }),
    ] {
        assert_eq!(verdict(over.clone()).unwrap_err(), TokenError::Subject, "{over}");
    }
}

#[test]
fn an_error_never_repeats_the_token() {
    let issuer = issuer(&key(), json!({}));
    let token = key().sign(&at_jwt(&key()), &with(json!({ "iss": "https://who-is-this.example" })));
    let error = verify(&issuer, &token).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("who-is-this"));
}

proptest! {
    #[test]
    fn no_text_is_a_token_and_none_breaks_the_reader(text in ".*", dots in "[A-Za-z0-9_.-]{0,60}") {
        let issuer = issuer(&key(), json!({}));
        prop_assert!(verify(&issuer, &text).is_err());
        prop_assert!(verify(&issuer, &dots).is_err());
    }

    #[test]
    fn any_one_changed_character_of_a_good_token_is_refused(place in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        let good = token(&key());
        let mut changed = good.clone().into_bytes();
        let place = place.index(changed.len());
        changed[place] = to.as_bytes()[0];
        let changed = String::from_utf8(changed).unwrap();
        prop_assume!(changed != good);
        let verdict = verify(&issuer(&key(), json!({})), &changed);
        prop_assert!(verdict.is_err());
    }

    #[test]
    fn a_token_is_good_exactly_from_its_issue_to_its_expiry(age in -100_i64..200) {
        let now = World::NOW.as_secs();
        let at = Timestamp::from_secs(now.saturating_add_signed(age));
        let token = key().sign(&at_jwt(&key()), &with(json!({ "iat": now, "exp": now + 60 })));
        let issuer = issuer(&key(), json!({}));
        let taken = issuer.verify(&Secret::from_text(token), at).is_ok();
        prop_assert_eq!(taken, (-5..65).contains(&age));
    }
}
