//! Ports that do not do their work.

use std::future::{pending, ready};

use doorward_auth::{
    BoxFuture,
    ports::{AppKey, AppKeys, Authenticator, Identity, PortError, Ticket, Tickets, UsedTokens},
};
use doorward_types::{Answer, KeyId, OwnerId, Timestamp};

/// Every port, of a world that is down or never answers.
pub(crate) enum Unwell {
    Down,
    Silent,
}

impl Unwell {
    fn answer<'a, T: Send + 'a>(&self) -> BoxFuture<'a, Result<T, PortError>> {
        match self {
            Self::Down => Box::pin(ready(Err(PortError { port: "store", detail: "disk full".into() }))),
            Self::Silent => Box::pin(pending()),
        }
    }
}

impl Tickets for Unwell {
    fn mint<'a>(&'a self, _: [u8; 32], _: Ticket) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer()
    }

    fn consume<'a>(
        &'a self,
        _: &'a OwnerId,
        _: [u8; 32],
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Ticket>, PortError>> {
        self.answer()
    }
}

impl AppKeys for Unwell {
    fn add<'a>(&'a self, _: AppKey) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer()
    }

    fn find<'a>(&'a self, _: &'a OwnerId, _: &'a KeyId) -> BoxFuture<'a, Result<Option<AppKey>, PortError>> {
        self.answer()
    }

    fn list<'a>(&'a self, _: &'a OwnerId) -> BoxFuture<'a, Result<Vec<AppKey>, PortError>> {
        self.answer()
    }

    fn revoke<'a>(&'a self, _: &'a OwnerId, _: &'a KeyId, _: Timestamp) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer()
    }
}

impl UsedTokens for Unwell {
    fn use_once<'a>(
        &'a self,
        _: &'a OwnerId,
        _: &'a str,
        _: &'a str,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer()
    }
}

impl Authenticator for Unwell {
    fn kind(&self) -> &'static str {
        "terminal"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["token"]
    }

    fn authenticate<'a>(&'a self, _: &'a Answer) -> BoxFuture<'a, Result<Option<Identity>, PortError>> {
        self.answer()
    }
}
