//! The pages of a person, one file each.

mod account;
mod home;
pub(crate) mod key;
mod login;
mod logout;
mod next;
mod password;
mod register;
mod reset;
mod totp;
mod try_it;

pub(crate) use account::sockets_of;
pub(crate) use totp::Enrolment;

use std::sync::Arc;

use axum::Router;

use crate::desk::Desk;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .merge(home::routes())
        .merge(register::routes())
        .merge(reset::routes())
        .merge(login::routes())
        .merge(logout::routes())
        .merge(account::routes())
        .merge(password::routes())
        .merge(totp::routes())
        .merge(key::routes())
        .merge(try_it::routes())
}
