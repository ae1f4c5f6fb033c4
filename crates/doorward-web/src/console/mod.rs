//! The console: what owners see of their own, and operators of everybody.

mod account;
mod accounts;
mod gates;
mod invite;
mod reset;
mod sockets;

use std::sync::Arc;

use axum::Router;

use crate::desk::Desk;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .merge(accounts::routes())
        .merge(account::routes())
        .merge(invite::routes())
        .merge(reset::routes())
        .merge(sockets::routes())
        .merge(gates::routes())
}
