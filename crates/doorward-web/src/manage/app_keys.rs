//! program -> api      make a key for a machine; which are there? revoke this one
//! api -> app keys     keep the public half; look
//! api                 as in `ending`, for what rests on the key
//! api -> program      the key, once; a page; a receipt

use doorward_auth::{
    layers::conversation::app_key::NewAppKey,
    ports::{AppKey, Change, What, Why},
};
use doorward_types::{KeyId, OwnerId, Rest};
use serde_json::{Value, json};

use crate::Happening;

use super::{Kind, Problem, Reply, accounts, ending, fields::needed, page::Window, route::Call};

pub(super) async fn list(mut call: Call<'_>) -> Result<Reply, Problem> {
    let window = Window::read(&mut call.query)?;
    let owners = match call.listed_owner()? {
        Some(owner) => vec![owner],
        None => call.api.parts.node.owners(),
    };
    call.query.end()?;
    let mut keys = Vec::new();
    for owner in &owners {
        keys.extend(call.api.parts.app_keys.list(owner).await?);
    }
    let keys = from_the_one_after(keys, &window, |key| key.id.as_str().to_owned())?;
    Ok(Reply::of(&window.page(keys, |key| key.id.to_string(), document)))
}

pub(super) async fn create(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.owner_of_new()?;
    let subject = needed("subject", call.body.subject("subject")?, "a subject as `kind:pk`, such as `terminal:7`")?;
    call.body.end()?;
    accounts::may_act_as(&call, &owner, &subject).await?;
    let made = NewAppKey::draw(&*call.api.parts.rng);
    let key = AppKey { owner, id: made.id, public: made.public, subject, created_at: call.now, revoked_at: None };
    let mut shown = document(&key);
    let made_event = call.event(Some(&key.owner), Some(key.subject.clone()), Happening::AppKeyMade(key.id.clone()));
    shown["secret"] = json!(made.text.reveal_text("it is shown to its maker, once").unwrap_or_default());
    match call.api.parts.app_keys.add(key).await? {
        true => {
            call.given(made_event)?;
            Ok(Reply::made(&shown))
        }
        false => Err(Problem::new(Kind::TryLater, "a key with this id exists already")),
    }
}

/// Revokes a key, and ends its sockets. One that was revoked before is revoked still.
pub(super) async fn revoke(mut call: Call<'_>) -> Result<Reply, Problem> {
    let owner = call.listed_owner()?;
    call.query.end()?;
    let id = KeyId::new(call.parameter);
    let Some(key) = find(&call, owner, &id).await? else { return Err(Problem::not_found("key")) };
    let what = What::Rest(Rest::on("key", id.as_str()));
    let (change, revoked) = (Some(Change::RevokeAppKey(id.clone())), Happening::AppKeyRevoked(id));
    let ending = ending::of(&key.owner, what, Why::Revoked, change, &call);
    ending::carry_out(&call, ending, Some(key.subject), revoked).await
}

async fn find(call: &Call<'_>, owner: Option<OwnerId>, id: &KeyId) -> Result<Option<AppKey>, Problem> {
    let owners = owner.map_or_else(|| call.api.parts.node.owners(), |owner| vec![owner]);
    for owner in owners {
        if let Some(key) = call.api.parts.app_keys.find(&owner, id).await? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// What a list without pages of its own has after the item that `after` names.
pub(super) fn from_the_one_after<T>(
    mut items: Vec<T>,
    window: &Window,
    name: impl Fn(&T) -> String,
) -> Result<Vec<T>, Problem> {
    if let Some(after) = &window.after {
        let place = items.iter().position(|item| name(item) == *after);
        let place = window.after(|_| place)?.unwrap_or_default();
        items.drain(..=place);
    }
    items.truncate(window.and_one());
    Ok(items)
}

fn document(key: &AppKey) -> Value {
    json!({
        "id": key.id.as_str(),
        "owner": key.owner.as_str(),
        "subject": key.subject.to_string(),
        "created_at": key.created_at.to_string(),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
    })
}
