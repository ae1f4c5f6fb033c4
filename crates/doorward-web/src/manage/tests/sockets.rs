use super::World;

#[tokio::test]
async fn live_sockets_are_listed_in_pages_by_what_is_asked_for() {
    let world = World::new();
    let key = world.master(None).await;
    let ids: Vec<_> = (1..=5).map(|number| world.node.admit("acme", number, &format!("member:{number}"))).collect();
    let mut seen = Vec::new();
    let mut path = "/sockets?limit=2".to_owned();
    loop {
        let page = world.get(&key, &path).await;
        seen.extend(page.ids("id").into_iter().map(str::to_owned));
        let Some(next) = page.json["next"].as_str() else { break };
        path = format!("/sockets?limit=2&after={next}");
        world.node.live.lock().unwrap().remove(0);
    }
    assert_eq!(seen, ids, "also where those that were shown have left");
    let ids = &ids[2..];
    for (query, found) in [
        ("subject=member%3A4", &ids[1..2]),
        ("sid=s3", &ids[..1]),
        ("state=active", &ids[1..2]),
        ("gate=chat&owner=acme", ids),
        ("gate=other", &[]),
        ("owner=globex", &[]),
    ] {
        assert_eq!(world.get(&key, &format!("/sockets?{query}")).await.ids("id"), found, "{query}");
    }
}

#[tokio::test]
async fn a_socket_is_shown_and_ended_once_with_a_receipt() {
    let world = World::new();
    let key = world.master(Some("acme")).await;
    let id = world.node.admit("acme", 2, "member:7");
    let path = format!("/sockets/{id}");
    let shown = world.get(&key, &path).await.json;
    assert_eq!((&shown["subject"], &shown["state"]), (&"member:7".into(), &"active".into()));
    let receipt = world.delete(&key, &path).await.json;
    assert_eq!(receipt["sockets"], serde_json::json!([id]));
    assert_eq!((&receipt["ended"], &receipt["within_ms"]), (&1.into(), &3.into()));
    assert_eq!(receipt["nodes"][0]["node"], "here");
    assert_eq!(world.delete(&key, &path).await.problem().0, "not-found", "it is gone");
}

#[tokio::test]
async fn what_is_another_owner_s_is_answered_like_what_there_is_not() {
    let world = World::new();
    let key = world.master(Some("globex")).await;
    let id = world.node.admit("acme", 2, "member:7");
    let theirs = world.get(&key, &format!("/sockets/{id}")).await;
    let nobodys = world.get(&key, &format!("/sockets/{}", "0".repeat(32))).await;
    let unreadable = world.get(&key, "/sockets/x").await;
    assert_eq!((theirs.status.as_u16(), &theirs.text), (404, &nobodys.text));
    assert_eq!(theirs.text, unreadable.text);
    assert_eq!(world.delete(&key, &format!("/sockets/{id}")).await.text, theirs.text);
    assert!(world.get(&key, "/sockets").await.ids("id").is_empty());
    let (theirs, nobodys) = (world.get(&key, "/sockets?owner=acme").await, world.get(&key, "/sockets?owner=x").await);
    assert_eq!((theirs.status.as_u16(), theirs.text), (404, nobodys.text));
    assert_eq!(world.node.live.lock().unwrap().len(), 1, "nothing was ended");
}
