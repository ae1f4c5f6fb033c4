//! program -> api      make a key to this API; which are there? revoke this one
//! api                 nobody gives more than they have
//! api -> api keys     keep the hash of the key; look; revoke
//! api -> program      the key, once; a page

use doorward_auth::{NewApiKey, Scope, ports::ApiKey};
use serde_json::{Value, json};

use crate::Happening;

use super::{Kind, Problem, Reply, app_keys::from_the_one_after, fields::needed, page::Window, route::Call};

/// The longest name of a key, in bytes.
const LONGEST_NAME: usize = 200;

pub(super) async fn list(mut call: Call<'_>) -> Result<Reply, Problem> {
    let window = Window::read(&mut call.query)?;
    let owner = call.listed_owner()?;
    call.query.end()?;
    let keys = call.api.parts.ports.api_keys.list(owner.as_ref()).await?;
    let keys = from_the_one_after(keys, &window, |key| key.id.clone())?;
    Ok(Reply::of(&window.page(keys, |key| key.id.clone(), document)))
}

pub(super) async fn create(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    // A key of the operator's, for no owner in particular, is the operator's too.
    let owner = call.meant_owner()?;
    let name = needed("name", call.body.text("name")?, "what the key is for, in words")?;
    let scopes = scopes(&mut call)?;
    let expires_at = call.body.time("expires_at")?;
    call.body.end()?;
    if name.len() > LONGEST_NAME {
        return Err(Problem::of_field("name", format!("a text of at most {LONGEST_NAME} bytes")));
    }
    if expires_at.is_some_and(|at| at <= call.now) {
        return Err(Problem::of_field("expires_at", "a time to come"));
    }
    let NewApiKey { text, hash, id } = NewApiKey::draw(&*call.api.parts.rng);
    let key = ApiKey { owner, id, name, scopes, created_at: call.now, expires_at, revoked_at: None };
    let mut shown = document(&key);
    shown["secret"] = json!(text.reveal_text("it is shown to its maker, once").unwrap_or_default());
    let made = call.event(key.owner.as_ref(), None, Happening::ApiKeyMade(key.id.clone()));
    call.api.parts.ports.api_keys.add(hash, key).await?;
    call.given(made)?;
    Ok(Reply::made(&shown))
}

/// The field `scopes`. A key gives no scope that it does not have: otherwise each could make itself any other.
fn scopes(call: &mut Call<'_>) -> Result<Vec<String>, Problem> {
    let expected = || {
        let all = Scope::ALL.iter().map(|scope| format!("`{}`", scope.as_str())).collect::<Vec<_>>().join(", ");
        format!("a list of some of {all}")
    };
    let named = needed("scopes", call.body.texts("scopes")?.filter(|scopes| !scopes.is_empty()), &expected())?;
    for scope in &named {
        let scope = Scope::read(scope).ok_or_else(|| Problem::of_field("scopes", expected()))?;
        if !call.caller.may(scope) {
            let detail =
                format!("a key gives no scope that it does not have, and it does not have `{}`", scope.as_str());
            return Err(Problem::new(Kind::NotAllowed, detail));
        }
    }
    Ok(named)
}

/// Revokes a key. One that was revoked before is revoked still.
pub(super) async fn revoke(mut call: Call<'_>) -> Result<Reply, Problem> {
    call.query.end()?;
    let owner = call.caller.owner.as_ref();
    let api_keys = &call.api.parts.ports.api_keys;
    let revoked = api_keys.revoke(owner, call.parameter, call.now).await?;
    let known = api_keys.list(owner).await?.into_iter().find(|key| key.id == call.parameter);
    let Some(key) = known else { return Err(Problem::not_found("key")) };
    if revoked {
        call.done(call.event(key.owner.as_ref(), None, Happening::ApiKeyRevoked(key.id)));
    }
    Ok(Reply::done())
}

fn document(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "owner": key.owner.as_ref().map(|owner| owner.as_str()),
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|at| at.to_string()),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
    })
}
