//! What happens at the site, as the audit log has it.

use doorward_auth::ports::{Audit, AuditQuery, AuditRecord, Outcome};
use http::StatusCode;

use crate::world::{PASSWORD, World};

/// The rows about an account, oldest first; those of nobody for an empty name.
async fn rows(world: &World, name: &str) -> Vec<AuditRecord> {
    let subject = match name {
        "" => None,
        name => Some(world.account(name).await.subject()),
    };
    let query = AuditQuery { owner: Some(World::owner()), subject, at_most: 1000, ..AuditQuery::default() };
    let mut rows = world.audit.search(query).await.unwrap();
    rows.reverse();
    rows
}

/// Each in words: the event and who brought it about, or why somebody was not let in.
async fn history(world: &World, name: &str) -> Vec<String> {
    let in_words = |row: &AuditRecord| match &row.outcome {
        Outcome::Happened { event, by, .. } => format!("{event} by {by}"),
        Outcome::Refused { layer, step, detail, .. } => format!("refused at {layer}, {step}: {detail}"),
        other => panic!("{other:?}"),
    };
    rows(world, name).await.iter().map(in_words).collect()
}

#[tokio::test]
async fn what_somebody_does_at_the_site_is_found_by_their_account_with_the_reason_why_they_were_not_let_in() {
    let world = World::new();
    let bob = world.registered("bob").await;
    bob.post("/account/key", &[]).await;
    bob.post("/chat/ticket", &[]).await;
    let other = "four other words, unrelated";
    bob.post("/account/password", &[("password", PASSWORD), ("new_password", other)]).await;
    let sid = world.sessions("bob").await[0].sid.to_string();
    bob.post("/logout", &[]).await;
    bob.post("/login", &[("username", "BOB"), ("password", PASSWORD)]).await;
    world.program().post("/api/token", &[("username", "bob"), ("password", other)]).await;
    let expected = [
        "registered by its holder",
        "logged_in by its holder",
        "key_shown by its holder",
        "ticket_minted by its holder",
        "logged_in by its holder",
        "password_changed by its holder",
        "logged_out by its holder",
        "refused at site, password: the password of account 1 is another",
        "logged_in by its holder",
        "token_minted by its holder",
    ];
    assert_eq!(history(&world, "bob").await, expected);
    let rows = rows(&world, "bob").await;
    assert!(rows.iter().all(|row| row.source == Some(bob.source) && row.owner == Some(World::owner())));
    let Outcome::Happened { detail, .. } = &rows[6].outcome else { panic!("{rows:?}") };
    assert_eq!(*detail, format!("login {sid}"));
    let text = format!("{rows:?}");
    for secret in [PASSWORD, other, "dwt_", "dws_", "dwb_", "access-"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_is_in_the_log_by_a_hash_alone() {
    let world = World::new();
    world.browser().post("/login", &[("username", "my password, by mistake"), ("password", "x")]).await;
    let history = history(&world, "").await;
    assert!(history[0].starts_with("refused at site, password: there is no account of that name ("), "{history:?}");
    assert!(!history[0].contains("mistake"));
}

#[tokio::test]
async fn what_an_owner_does_to_an_account_is_found_by_that_account_and_names_the_owner() {
    let world = World::new();
    let olga = world.owner_browser().await;
    world.registered("bob").await;
    let bob = world.account("bob").await;
    let page = format!("/console/accounts/acme/{}", bob.id);
    for act in ["end", "disable", "enable", "unlock", "totp/remove"] {
        assert_eq!(olga.post(&format!("{page}/{act}"), &[]).await.status, StatusCode::SEE_OTHER, "{act}");
    }
    let by = format!("olga ({})", world.account("olga").await.subject());
    let expected = ["sessions_ended", "account_disabled", "account_enabled", "account_unlocked", "totp_removed"];
    let expected: Vec<_> = expected.iter().map(|event| format!("{event} by {by}")).collect();
    assert_eq!(history(&world, "bob").await[2..], expected);
}

#[tokio::test]
async fn while_rows_cannot_be_written_nobody_logs_in_and_whoever_is_in_can_log_out() {
    let world = World::new();
    let bob = world.registered("bob").await;
    world.audit.fill();
    let stranger = world.browser();
    let page = stranger.post("/login", &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.sets().is_empty() && world.sessions("bob").await.len() == 1);
    assert_eq!(bob.post("/chat/ticket", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(bob.post("/account/key", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(bob.post("/logout", &[]).await.to(), "/?done=logout");
    assert_eq!(world.sessions("bob").await, []);
}
