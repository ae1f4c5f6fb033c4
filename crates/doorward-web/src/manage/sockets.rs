//! program -> api   which sockets live? end this one
//! api     -> node  look, end
//! api              wait until the Close is accepted
//! api -> program   a page; a receipt

use doorward_types::{GateName, SocketId, Timestamp};

use super::{Problem, Reply, page::Window, route::Call};
use crate::{
    Happening,
    live::{Live, SocketQuery, SocketState, SocketView},
};

pub(super) async fn list(mut call: Call<'_>) -> Result<Reply, Problem> {
    let window = Window::read(&mut call.query)?;
    let query = SocketQuery {
        owner: call.listed_owner()?,
        gate: call.query.text("gate")?.map(GateName::new),
        subject: call.query.subject("subject")?,
        sid: call.query.text("sid")?,
        state: call.query.word("state", &SocketState::ALL, SocketState::as_str)?,
        after: window.after(read_place)?,
        newest_first: false,
        at_most: window.and_one(),
    };
    call.query.end()?;
    let found = call.api.parts.node.sockets(query).await?;
    Ok(Reply::of(&window.page(found, place, SocketView::document)))
}

pub(super) async fn show(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let id = id(call.parameter)?;
    let found = call.api.parts.node.socket(call.caller.owner.as_ref(), id).await?;
    found.map(|socket| Reply::of(&socket.document())).ok_or_else(|| Problem::not_found("socket"))
}

pub(super) async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let id = id(call.parameter)?;
    let found = call.api.parts.node.socket(call.caller.owner.as_ref(), id).await?;
    let receipt = call.api.parts.node.end_live(call.caller.owner.as_ref(), Live::Socket(id)).await?;
    if receipt.ended.is_empty() && receipt.not_answering.is_empty() {
        return Err(Problem::not_found("socket"));
    }
    let (owner, whose) = found.map(|socket| (socket.owner, socket.subject)).unzip();
    call.done(call.event(owner.or(call.caller.owner.clone()).as_ref(), whose.flatten(), Happening::SocketEnded(id)));
    Ok(Reply::of(&receipt.document()))
}

/// What is no id is the id of nothing.
fn id(text: &str) -> Result<SocketId, Problem> {
    text.parse().map_err(|_| Problem::not_found("socket"))
}

/// Where a socket stands in the list.
fn place(socket: &SocketView) -> String {
    format!("{}-{}", socket.since.as_millis(), socket.id)
}

fn read_place(text: &str) -> Option<(Timestamp, SocketId)> {
    let (since, id) = text.split_once('-')?;
    Some((Timestamp::from_millis(since.parse().ok()?), id.parse().ok()?))
}
