//! Somebody logs in on the website, and what the logout does to the sockets of that login.

use doorward_client::{Client, Credentials, Event};
use doorward_types::{CloseReason, Secret};
use tokio::time::Instant;

use super::steps::{climb, end_of, hear, leave, milliseconds, publish, status, subscribe};
use crate::cli::demo::{browser::Browser, narrator::Narrator, world::World};

/// The headline: one login, two sockets, one logout.
pub(super) async fn two_sockets_and_a_logout(world: &World, narrator: &mut Narrator) {
    narrator.scene("a login on the website, two sockets on it, and a logout that lands on both");
    let mut browser = Browser::at(world.address());
    let Some(()) = log_in(world, narrator, &mut browser).await else { return };
    let Some(mut first) = opened(world, narrator, &browser, "/room").await else { return };
    let Some(mut second) = opened(world, narrator, &browser, "/room").await else { return };
    subscribe(narrator, &mut second, "lobby", None).await;
    publish(narrator, &mut first, "lobby", None, "\"is anybody here?\"").await;
    let heard = |event: &Event| matches!(event, Event::Message { message, .. } if message.get().contains("anybody"));
    hear(narrator, &mut second, "the sockets hear each other", heard).await;
    let before = Instant::now();
    let Some(()) = log_out(narrator, &mut browser).await else { return };
    let (one, other) = tokio::join!(end_of(&mut first), end_of(&mut second));
    for (which, ended) in [("first", one), ("second", other)] {
        let told = matches!(ended, Some((CloseReason::SessionEnded, _)));
        let lived = milliseconds(before, ended);
        narrator.expect(format_args!("the {which} socket is told 4410 session_ended; it lived on for {lived}"), told);
    }
    status(narrator, "the cookie after the logout", world.connect("/room", browser.opening()).await, 401);
}

/// At a gate that suspends.
pub(super) async fn a_socket_that_waits(world: &World, narrator: &mut Narrator) {
    narrator.scene("a gate whose sockets wait for the next login in the same browser");
    let mut browser = Browser::at(world.address());
    let Some(()) = log_in(world, narrator, &mut browser).await else { return };
    let Some(mut client) = opened(world, narrator, &browser, "/desk").await else { return };
    subscribe(narrator, &mut client, "lobby", None).await;
    let Some(()) = log_out(narrator, &mut browser).await else { return };
    let suspended = |event: &Event| matches!(event, Event::Suspended { .. });
    hear(narrator, &mut client, "the socket stays open, and nothing goes through it", suspended).await;
    let Some(()) = log_in(world, narrator, &mut browser).await else { return };
    let resumed = |event: &Event| matches!(event, Event::Resumed { .. });
    hear(narrator, &mut client, "bob is back, and the same socket goes on", resumed).await;
    publish(narrator, &mut client, "lobby", None, "\"where were we?\"").await;
    let heard = |event: &Event| matches!(event, Event::Message { message, .. } if message.get().contains("were"));
    hear(narrator, &mut client, "with what it was subscribed to", heard).await;
    leave(client).await;
    log_out(narrator, &mut browser).await;
}

pub(super) async fn log_in(world: &World, narrator: &mut Narrator, browser: &mut Browser) -> Option<()> {
    narrator.sends("user", "site", "POST /login with username=bob and his password");
    let bob = Secret::from_text("bob");
    let fields = [("username", &bob), ("password", &world.people.bob.password)];
    let page = narrator.expect_ok("the form is answered", browser.submit("/login", &fields).await)?;
    let leads_to = page.leads_to.as_deref().unwrap_or("nowhere");
    narrator.sends("site", "user", format_args!("{} to {leads_to}, with the cookie of a login", page.status));
    has_to(narrator, "bob is logged in", page.leads_to.as_deref() == Some("/account"))
}

pub(super) async fn log_out(narrator: &mut Narrator, browser: &mut Browser) -> Option<()> {
    narrator.sends("user", "site", "POST /logout");
    let page = narrator.expect_ok("the form is answered", browser.submit("/logout", &[]).await)?;
    has_to(narrator, "bob is logged out", page.status.is_redirection())
}

async fn opened(world: &World, narrator: &mut Narrator, browser: &Browser, path: &str) -> Option<Client> {
    narrator.sends("user", "gate", format_args!("GET {path} with the cookie"));
    let opened = world.connect(path, browser.opening()).await;
    let mut client = narrator.expect_ok("the cookie opens the gate", opened)?;
    climb(narrator, &mut client, Credentials::new().glyph("☂"), "bob is admitted").await?;
    Some(client)
}

/// A step without which the scene cannot go on.
fn has_to(narrator: &mut Narrator, what: &str, holds: bool) -> Option<()> {
    narrator.expect(what, holds);
    holds.then_some(())
}
