//! Accounts, a page of them at a time.
//!
//! owner -> site   get /console?after=...

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use doorward_types::AccountId;
use http::StatusCode;

use crate::{
    desk::Desk,
    field::Ago,
    page::{Frame, page},
    sorry::Sorry,
    visit::Keeper,
};

/// How many are on a page.
const ON_A_PAGE: usize = 50;

#[derive(Template)]
#[template(path = "console_accounts.html")]
struct Accounts {
    frame: Frame,
    /// Whether those of several owners are among them.
    of_all: bool,
    accounts: Vec<Row>,
    more: Option<AccountId>,
    first: bool,
}

struct Row {
    address: String,
    owner: String,
    username: String,
    role: &'static str,
    made: Ago,
    is_enabled: bool,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/console", get(show))
}

async fn show(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Response, Sorry> {
    let visit = &keeper.0.visit;
    let after = visit.word("after").and_then(|after| after.parse().ok()).map(AccountId);
    let mut accounts = desk.ports().accounts.list(keeper.scope(), after, ON_A_PAGE + 1).await?;
    let has_more = accounts.len() > ON_A_PAGE;
    accounts.truncate(ON_A_PAGE);
    let row = |account: &doorward_auth::ports::Account| Row {
        address: super::account::address(&account.owner, account.id),
        owner: account.owner.to_string(),
        username: account.username.clone(),
        role: account.role.as_str(),
        made: Ago::new(account.created_at, visit.now),
        is_enabled: account.is_enabled(),
    };
    let accounts_page = Accounts {
        frame: Frame::of(&desk, visit),
        of_all: keeper.scope().is_none(),
        more: accounts.last().filter(|_| has_more).map(|last| last.id),
        accounts: accounts.iter().map(row).collect(),
        first: after.is_none(),
    };
    page(StatusCode::OK, &accounts_page)
}
