use doorward_auth::{BoxFuture, Scope};
use doorward_types::{OwnerId, Subject, Timestamp};
use http::Method;

use crate::{Event, Happening};

use super::{Api, Caller, Fields, Kind, Problem, Reply};

/// What every path of the API begins with.
pub(super) const PREFIX: &str = "/api/v1/";

type Handler = for<'a> fn(Call<'a>) -> BoxFuture<'a, Result<Reply, Problem>>;

/// One method of one path.
pub(super) struct Route {
    pub(super) method: Method,
    /// After the prefix; the part in braces is the [`parameter`](Call::parameter).
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) handler: Handler,
}

/// What a caller has to be allowed.
pub(super) enum Needs {
    /// Nothing: everybody may.
    Nothing,
    /// This.
    One(Scope),
    /// One of these. Which it is what was sent says, so that the handler asks again.
    OneOf(&'static [Scope]),
}

impl Needs {
    pub(super) fn scopes(&self) -> &[Scope] {
        match self {
            Self::Nothing => &[],
            Self::One(scope) => std::slice::from_ref(scope),
            Self::OneOf(scopes) => scopes,
        }
    }
}

impl Route {
    pub(super) const fn keyed(method: Method, path: &'static str, scope: Scope, handler: Handler) -> Self {
        Self { method, path, needs: Needs::One(scope), handler }
    }

    pub(super) const fn by_what_is_sent(
        method: Method,
        path: &'static str,
        scopes: &'static [Scope],
        handler: Handler,
    ) -> Self {
        Self { method, path, needs: Needs::OneOf(scopes), handler }
    }

    pub(super) const fn open(method: Method, path: &'static str, handler: Handler) -> Self {
        Self { method, path, needs: Needs::Nothing, handler }
    }

    /// What stands in the place of the parameter, where the path is this route's.
    fn matches<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (mut parameter, mut parts) = ("", path.split('/'));
        for expected in self.path.trim_start_matches('/').split('/') {
            let part = parts.next()?;
            if expected.starts_with('{') {
                parameter = part;
            } else if expected != part {
                return None;
            }
        }
        parts.next().is_none().then_some(parameter)
    }
}

/// The route of a request, and the parameter in its path.
pub(super) fn find<'p>(method: &Method, path: &'p str) -> Result<(&'static Route, &'p str), Problem> {
    let rest = path.strip_prefix(PREFIX).unwrap_or_default();
    let here: Vec<_> = super::ROUTES.iter().filter_map(|route| Some((route, route.matches(rest)?))).collect();
    if let Some(found) = here.iter().find(|(route, _)| route.method == *method) {
        return Ok(*found);
    }
    if here.is_empty() {
        return Err(Problem::new(
            Kind::NotFound,
            "there is no such address; /api/v1/openapi.json has those that there are",
        ));
    }
    let methods: Vec<_> = here.iter().map(|(route, _)| route.method.as_str()).collect();
    Err(Problem::of_method(&methods.join(", ")))
}

/// One request that was let through.
pub(super) struct Call<'a> {
    pub(super) api: &'a Api,
    pub(super) caller: Caller,
    /// What stands in the path in the place of the part in braces.
    pub(super) parameter: &'a str,
    pub(super) query: Fields,
    pub(super) body: Fields,
    pub(super) now: Timestamp,
}

impl Call<'_> {
    /// Something that the caller brings about, at the site of that owner (of all for `None`).
    pub(super) fn event(&self, owner: Option<&OwnerId>, whose: Option<Subject>, what: Happening) -> Event {
        Event { owner: owner.cloned(), whose, source: None, by: self.caller.by.clone(), what }
    }

    /// Writes down that something was given out; where that cannot be, it is not handed out.
    pub(super) fn given(&self, event: Event) -> Result<(), Problem> {
        Ok(self.api.parts.journal.given(event)?)
    }

    /// Writes down what was done.
    pub(super) fn done(&self, event: Event) {
        self.api.parts.journal.done(event);
    }

    /// Whose things a list shows: those of the caller's owner, or of one that the query names; all for `None`.
    pub(super) fn listed_owner(&mut self) -> Result<Option<OwnerId>, Problem> {
        let named = self.query.text("owner")?;
        self.owner_named(named)
    }

    /// Whose things are ended: as [`listed_owner`](Self::listed_owner), by the body.
    pub(super) fn meant_owner(&mut self) -> Result<Option<OwnerId>, Problem> {
        let named = self.body.text("owner")?;
        self.owner_named(named)
    }

    /// For whom something is made. A key of the operator's has to say so, where there is more than one owner.
    pub(super) fn owner_of_new(&mut self) -> Result<OwnerId, Problem> {
        if let Some(owner) = self.meant_owner()? {
            return Ok(owner);
        }
        match self.api.parts.node.owners().as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(Problem::of_field("owner", "the name of an owner, because this key is the operator's")),
        }
    }

    /// Another's name is answered like one that nobody has.
    fn owner_named(&self, named: Option<String>) -> Result<Option<OwnerId>, Problem> {
        let Some(named) = named else { return Ok(self.caller.owner.clone()) };
        let owner = OwnerId::new(named);
        let is_there = match &self.caller.owner {
            Some(own) => *own == owner,
            None => self.api.parts.node.owners().contains(&owner),
        };
        if is_there { Ok(Some(owner)) } else { Err(Problem::not_found("owner")) }
    }
}
