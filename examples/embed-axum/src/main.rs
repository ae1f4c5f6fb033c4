//! Doorward inside an axum application: its own way to recognise a terminal, and its own rules for a channel.
//!
//! `cargo run -p embed-axum`, then in another terminal `doorward connect ws://127.0.0.1:3000/ws` and answer `tin-42`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to whoever runs it")]

use std::{error::Error, net::SocketAddr, process::ExitCode, sync::Arc};

use axum::extract::{ConnectInfo, Request, State};
use axum::{Router, body::Body, response::Response, routing::any};
use doorward_auth::ports::{Authenticator, Identity, PortError};
use doorward_auth::{Admission, BoxFuture};
use doorward_backends::hub::{ChannelModel, Permitted};
use doorward_server::{Door, Extensions, embed};
use doorward_types::{Answer, Subject};
use doorward_wire::json::Inbound;

const CONFIG: &str = r#"
    store = { url = "memory:" }
    [[gate]]
    name = "terminals"
    path = "/ws"
    backend = { hub = {} }
    ladder = [{ authenticator = { kind = "terminal" } }]
    channel = [{ name = "group" }]
"#;
const ADDRESS: &str = "127.0.0.1:3000";

struct Terminals;
impl Authenticator for Terminals {
    fn kind(&self) -> &'static str {
        "terminal"
    }
    fn fields(&self) -> &'static [&'static str] {
        &["token"]
    }
    fn authenticate<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, Result<Option<Identity>, PortError>> {
        let known = answer.field("token").is_some_and(|token| token.same_as(b"tin-42"));
        let tin = Identity::of(Subject { kind: "terminal".into(), pk: "42".into(), uuid: "tin".into() });
        Box::pin(async move { Ok(known.then_some(tin)) })
    }
}
struct Groups;
impl ChannelModel for Groups {
    fn can_subscribe(&self, _: &Admission, _: &Inbound<'_>) -> Permitted {
        Permitted::from_iter(["3"])
    }
}

async fn socket(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    door.answer(request, peer, None).await.map(Body::new)
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let door = embed(CONFIG, Extensions::default().authenticator(Terminals).channel("group", Groups)).await?;
    let app = Router::new().route("/ws", any(socket)).with_state(door);
    let listener = tokio::net::TcpListener::bind(ADDRESS).await;
    let listener = listener.map_err(|error| format!("cannot listen on {ADDRESS}: {error}"))?;
    println!("listening on {ADDRESS}; try it: doorward connect ws://{ADDRESS}/ws, and answer tin-42");
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_about_embedding_shows_this_program_and_what_it_depends_on() {
        let page = include_str!("../../../docs/embedding.md");
        let program = include_str!("main.rs");
        let (_, program) = program.split_once("\n\nuse std").unwrap();
        let (program, _) = program.split_once("\n#[cfg(test)]").unwrap();
        assert!(page.contains(&format!("```rust\nuse std{program}```\n")), "copy the program into docs/embedding.md");

        let (_, dependencies) = page.split_once("[dependencies]\n").unwrap();
        let (dependencies, _) = dependencies.split_once("```").unwrap();
        let shown = dependencies.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
        let named = |name: &&str| program.replace('_', "-").contains(&format!("{name}::"));
        let own = include_str!("../Cargo.toml");
        assert!(shown.clone().all(|name| own.contains(&format!("\n{name}")) && named(&name)), "{dependencies}");
        let known = own.lines().filter_map(|line| line.split_once([' ', '.'])).map(|(name, _)| name);
        assert_eq!(known.filter(named).count(), shown.count(), "{dependencies}");
    }
}
