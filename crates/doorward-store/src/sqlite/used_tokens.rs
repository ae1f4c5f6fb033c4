use doorward_auth::{
    BoxFuture,
    ports::{PortError, UsedTokens},
};
use doorward_types::{OwnerId, Timestamp};
use rusqlite::params;

use super::{Store, to_column};

impl UsedTokens for Store {
    fn use_once<'a>(
        &'a self,
        owner: &'a OwnerId,
        issuer: &'a str,
        id: &'a str,
        expires_at: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let (owner, issuer, id) = (owner.clone(), issuer.to_owned(), id.to_owned());
        let first = self.write(None, move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO used_tokens (owner, issuer, id, expires_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (owner, issuer, id) DO NOTHING",
                )?
                .execute(params![owner.as_str(), issuer, id, to_column(expires_at)])
                .map(|rows| rows == 1)
        });
        Box::pin(async move { first.await.map_err(|error| error.of_port("used tokens")) })
    }
}
