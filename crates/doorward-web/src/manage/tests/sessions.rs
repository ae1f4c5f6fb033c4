use doorward_auth::ports::Role;

use super::World;

#[tokio::test]
async fn logins_are_listed_newest_first_in_pages_and_of_one_account() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let (bob, eve) = (world.account("acme", "bob", Role::User).await, world.account("acme", "eve", Role::User).await);
    let theirs = world.account("globex", "bob", Role::User).await;
    for (account, number) in [(&bob, 1), (&eve, 2), (&bob, 3), (&theirs, 4)] {
        world.login(account, number).await;
    }
    let sid = |number: u8| format!("{number:02x}").repeat(16);
    let first = world.get(&key, "/sessions?limit=2").await;
    assert_eq!(first.ids("sid"), [sid(3), sid(2)]);
    let rest = world.get(&key, &format!("/sessions?limit=2&after={}", first.json["next"].as_str().unwrap())).await;
    assert_eq!((rest.ids("sid"), rest.json["next"].is_null()), (vec![sid(1).as_str()], true));
    let of_bob = world.get(&key, &format!("/sessions?account={}", bob.id)).await;
    assert_eq!(of_bob.ids("sid"), [sid(3), sid(1)]);
    let of_theirs = world.get(&key, &format!("/sessions?account={}", theirs.id)).await;
    assert_eq!(of_theirs.problem().0, "not-found");
    assert!(!first.text.contains("nobody's business"), "what a program calls itself is for its user's eyes");
}

#[tokio::test]
async fn a_login_is_ended_for_its_owner_alone_and_is_gone_then() {
    let world = World::new();
    let (own, other, all) =
        (world.master(Some("acme")).await, world.master(Some("globex")).await, world.master(None).await);
    let bob = world.account("acme", "bob", Role::User).await;
    let session = world.login(&bob, 1).await;
    let path = format!("/sessions/{}", session.sid);
    assert_eq!(world.get(&all, &path).await.json["username"], "bob");
    assert_eq!(world.get(&other, &path).await.problem().0, "not-found");
    assert_eq!(world.delete(&other, &path).await.problem().0, "not-found");
    assert_eq!(world.get(&own, &path).await.status, 200, "it holds still");
    assert_eq!(world.delete(&own, &path).await.status, 200);
    assert_eq!(world.node.landed.lock().unwrap()[0].what, doorward_auth::ports::What::Rest(session.rest()));
    for key in [&own, &all] {
        assert_eq!(world.get(key, &path).await.problem().0, "not-found");
        assert_eq!(world.delete(key, &path).await.problem().0, "not-found");
    }
}
