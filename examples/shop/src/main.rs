//! A shop: static pages, accounts by the built-in site, and a cart that the page keeps over 9P.
//!
//! ```text
//! browser                    shop                          Door
//!    |-- GET / ------------->|-- login_of --------------->|  whose request it is
//!    |<-- page, script ------|
//!    |-- GET /ws, cookie ----------------------------------->|  session: 401, or 101
//!    |== 9P: create /cart/lantern, write "2", remove =======>|  Carts
//!    |-- POST /checkout ---->|-- login_of, Carts::empty -->|
//!    |-- POST /logout -------------------------------------->|  visit: ends the login, and with it the 9P connection
//!    |                      ^C -- drain ------------------->|  tells every page that it is restarting: 1012
//! ```
//!
//! `cargo run -p shop`, then open <http://127.0.0.1:3000/>. Another address is the program's argument.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to whoever runs it")]

mod changes;
mod goods;
mod pages;

use std::{error::Error, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use axum::extract::{ConnectInfo, Request, State};
use axum::{Router, body::Body, response::Response, routing::get};
use doorward_auth::ports::{CartOf, Session};
use doorward_server::{Door, Extensions, UnknownVisitor, embed};
use http::{HeaderValue, StatusCode, header::ACCEPT};

use crate::changes::{CHANNEL, Changes};

const CONFIG: &str = include_str!("../shop.toml");
const ADDRESS: &str = "127.0.0.1:3000";
/// Over how long the carts are closed when the shop is, so that their pages do not all come back at once.
const CLOSING: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| ADDRESS.to_owned());
    match serve(&address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    let door = embed(CONFIG, Extensions::default().channel(CHANNEL, Changes)).await?;
    let app = Router::new()
        .route("/", get(front))
        .route("/cart", get(cart))
        .route("/checkout", get(cart).post(checkout))
        .route("/shop/{*file}", get(pages::file))
        .fallback(everything_else)
        .with_state(Arc::clone(&door));
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| {
        format!(
            "cannot listen on `{address}`: {error}; another is named like this: `cargo run -p shop -- 127.0.0.1:8080`"
        )
    })?;
    println!("the shop is open: http://{}/", listener.local_addr()?);
    let serving = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>());
    let closed = async {
        tokio::signal::ctrl_c().await?;
        // It is served until every cart has been told.
        door.drain(CLOSING).await;
        Ok(())
    };
    tokio::select! {
        ended = serving => Ok(ended?),
        closed = closed => closed,
    }
}

/// What is for sale; with a login it can be put into the cart.
async fn front(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let has_left = request.uri().query() == Some("done=logout");
    match door.login_of(&request, peer, false).await {
        Ok(login) => pages::front(login.as_ref(), has_left),
        Err(unknown) => refused(&unknown),
    }
}

/// The cart, for who is logged in: the page is the same for all, and its script fetches what is in it.
async fn cart(State(door): State<Arc<Door>>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> Response {
    match door.login_of(&request, peer, false).await {
        Ok(Some(login)) => pages::cart(&login),
        Ok(None) => log_in_first(&request),
        Err(unknown) => refused(&unknown),
    }
}

/// Takes what is in the cart as an order: all of it in one act, so that of two tabs that send it one does.
async fn checkout(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let login: Session = match door.login_of(&request, peer, false).await {
        Ok(Some(login)) => login,
        Ok(None) => return log_in_first(&request),
        Err(unknown) => return refused(&unknown),
    };
    match door.carts().empty(&CartOf::subject(&login.owner, &login.subject())).await {
        Ok(order) => {
            changes::tell(&door, &login);
            pages::order(&login, &order)
        }
        Err(error) => refused(&UnknownVisitor::Down(error)),
    }
}

/// The built-in site, and the gate.
async fn everything_else(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    match door.visit(request, peer, false).await {
        Ok(page) => page.map(Body::new),
        Err(request) => door.answer(request, peer, None).await.map(Body::new),
    }
}

/// A person is led to the login, and back to the cart; a program is told by the status.
fn log_in_first(request: &Request) -> Response {
    let takes_html = |accept: &HeaderValue| accept.to_str().is_ok_and(|accept| accept.contains("text/html"));
    if request.headers().get(ACCEPT).is_some_and(takes_html) {
        pages::go("/login?next=/cart")
    } else {
        pages::note(StatusCode::UNAUTHORIZED, "Log in first", "The cart is for somebody who is logged in.")
    }
}

fn refused(unknown: &UnknownVisitor) -> Response {
    match unknown {
        UnknownVisitor::Foreign(why) => pages::note(StatusCode::FORBIDDEN, "Not sent from here", why),
        UnknownVisitor::Down(error) => {
            eprintln!("{error}");
            let sentence = "Something behind the counter does not answer. Try again in a moment; your cart is kept.";
            pages::note(StatusCode::SERVICE_UNAVAILABLE, "One moment, please", sentence)
        }
    }
}
