//! The same doors for programs that speak something else: events of Socket.IO, and files over 9P.

use doorward_client::{Client, Message, Options};
use doorward_types::{CloseReason, GateName};
use doorward_wire::{
    ninep::{self, Data, Decoder, Few, Fid, OpenMode, Reply, Request, Tag},
    socketio::{Emitted, Namespace},
};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout};

use super::{
    steps::{LIFE, STEP, end_of, milliseconds},
    website::{log_in, log_out},
};
use crate::cli::demo::{
    browser::Browser,
    narrator::Narrator,
    world::{World, owner},
};

/// A client of Socket.IO is held back until its token is there.
pub(super) async fn events(world: &World, narrator: &mut Narrator) {
    narrator.scene("Socket.IO: nothing happens before the token is there");
    let path = "/socket.io/?EIO=4&transport=websocket";
    narrator.sends("user", "gate", format_args!("GET {path}"));
    let opened = world.connect(path, Options { subprotocols: Vec::new(), ..Options::default() }).await;
    let Some(mut client) = narrator.expect_ok("the transport is open", opened) else { return };
    hears(narrator, &mut client, "the session begins", "0{").await;
    says(narrator, &mut client, "40/default,").await;
    hears(narrator, &mut client, "the client is in its namespace", "40/default,").await;
    says(narrator, &mut client, r#"42/default,["projectBind",{"id":1}]"#).await;
    narrator.expect("what is emitted now reaches nobody", emit(world, "1") == Some(0));
    let Some(token) = narrator.expect_ok("the issuer makes a token", world.token(LIFE)) else { return };
    let token = token.reveal_text("its holder shows it").unwrap_or_default();
    narrator.sends("user", "gate", r#"42/default,["authentication",{"token":"eyJ..."}]"#);
    let shown = format!(r#"42/default,["authentication",{{"token":"{token}"}}]"#);
    narrator.expect_ok("sent", client.send(&shown).await);
    hears(narrator, &mut client, "the token is taken", r#"42/default,["authenticated",true]"#).await;
    narrator.expect("the application emits an event", emit(world, r#"{"id":1,"status":"built"}"#) == Some(1));
    hears(narrator, &mut client, "and the client hears it", r#"42/default,["projectChanged""#).await;
    let what = world.people.carol.subject().rest().to_string();
    narrator.line(format_args!("$ doorward sockets end {what}"));
    narrator.expect_ok("the login ends", world.end(&what).await);
    hears(narrator, &mut client, "the client is told why", r#"42/default,["doorward",{"event":"ended""#).await;
    hears(narrator, &mut client, "and not to come back by itself", "41/default,").await;
}

/// A page with a login's cookie speaks 9P to its cart.
pub(super) async fn files(world: &World, narrator: &mut Narrator) {
    narrator.scene("9P over a WebSocket: the cart of whoever is logged in");
    let mut browser = Browser::at(world.address());
    let Some(()) = log_in(world, narrator, &mut browser).await else { return };
    narrator.sends("user", "gate", "GET /cart with the cookie, and the subprotocol 9p");
    let opening = Options { subprotocols: vec!["9p".to_owned()], ..browser.opening() };
    let opened = world.connect("/cart", opening).await;
    let Some(mut client) = narrator.expect_ok("the cookie opens the gate", opened) else { return };
    let (root, sku) = (Fid(0), Fid(1));
    let walk =
        |new, names: &[&'static str]| Request::Walk { fid: root, new, names: Few::new(names).unwrap_or_default() };
    let steps = [
        ("Tversion", Request::Version { msize: 8192, version: ninep::VERSION }),
        ("Tattach", Request::Attach { fid: root, afid: Fid::NONE, uname: "bob", aname: "" }),
        ("Twalk cart", walk(sku, &["cart"])),
        ("Tcreate sku123", Request::Create { fid: sku, name: "sku123", permissions: 0o600, mode: OpenMode::WRITE }),
        ("Twrite 3", Request::Write { fid: sku, offset: 0, data: Data(b"3") }),
        ("Tclunk", Request::Clunk { fid: sku }),
        ("Twalk cart/sku123", walk(sku, &["cart", "sku123"])),
        ("Topen", Request::Open { fid: sku, mode: OpenMode::READ }),
    ];
    for (name, request) in steps {
        let said = ask(&mut client, &request).await;
        narrator.expect(format_args!("{name}: {}", said.as_deref().unwrap_or("nothing came")), said.is_ok());
    }
    let read = ask(&mut client, &Request::Read { fid: sku, offset: 0, count: 100 }).await;
    narrator.expect("there are three of sku123 in bob's cart", read.as_deref() == Ok("3\n"));
    let before = Instant::now();
    let Some(()) = log_out(narrator, &mut browser).await else { return };
    let ended = end_of(&mut client).await;
    let told = matches!(ended, Some((CloseReason::SessionEnded, _)));
    narrator
        .expect(format_args!("the files end with the login; they lived on for {}", milliseconds(before, ended)), told);
}

async fn says(narrator: &mut Narrator, client: &mut Client, text: &str) {
    narrator.sends("user", "gate", text);
    narrator.expect_ok("sent", client.send(text).await);
}

/// Waits for the text that begins like that, past others, and shows it.
async fn hears(narrator: &mut Narrator, client: &mut Client, what: &str, beginning: &str) {
    let heard = timeout(STEP, async {
        while let Ok(Some(message)) = client.next_message().await {
            if let Message::Text(text) = message
                && text.starts_with(beginning)
            {
                return Some(text);
            }
        }
        None
    });
    let heard = heard.await.ok().flatten();
    if let Some(text) = &heard {
        narrator.sends("gate", "user", text);
    }
    narrator.expect(what, heard.is_some());
}

fn emit(world: &World, argument: &str) -> Option<usize> {
    let (gate, namespace) = (GateName::new("ui"), Namespace::new("/default").ok()?);
    let arguments = RawValue::from_string(format!("[{argument}]")).ok()?;
    let event = Emitted::new("projectChanged", &arguments).ok()?;
    let door = world.door();
    let hub = door.hub(&owner(), &gate)?;
    Some(hub.emit(door.sockets(), (&owner(), &gate), (namespace, None), &event))
}

/// Asks, and gives what the answer says in short; what is wrong is an error.
async fn ask(client: &mut Client, request: &Request<'_>) -> Result<String, String> {
    let mut bytes = Vec::new();
    request.write(Tag(1), &mut bytes);
    client.send_binary(&bytes).await.map_err(|error| error.to_string())?;
    let answer = timeout(STEP, client.next_message()).await.map_err(|_| "nothing came".to_owned())?;
    let Ok(Some(Message::Binary(answer))) = answer else { return Err("no answer came".to_owned()) };
    let (mut decoder, mut rest) = (Decoder::new(8192), &*answer);
    let frame = decoder.next(&mut rest).ok().flatten().ok_or("no whole message came")?;
    match Reply::read(&frame).map_err(|error| error.to_string())? {
        Reply::Error { text } => Err(text.to_owned()),
        Reply::Read { data } => Ok(String::from_utf8_lossy(&data).into_owned()),
        other => Ok(format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_owned()),
    }
}
