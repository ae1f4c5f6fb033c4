use clap::{Args, Subcommand};
use doorward_auth::ports::{AppKeys, Clock};
use doorward_types::KeyId;
use doorward_web::Happening;
use serde_json::json;

use super::{ConfigFile, Failure, accounts::write_down, counted, input, say, say_json, wait_for};
use crate::{control, system::SystemClock};

/// List or revoke app keys.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List the app keys of an owner, oldest first.
    List(List),
    /// Revoke an app key, and end the sockets that it opened.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// The owner; may be left out where there is only one.
    #[arg(long)]
    owner: Option<String>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key's id, as `keygen --json` and `keys list` show it.
    id: String,
    #[command(flatten)]
    file: ConfigFile,
    /// The owner; may be left out where there is only one.
    #[arg(long)]
    owner: Option<String>,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(),
            Self::Revoke(command) => command.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let owner = input::owner(&self.file.load()?, self.owner.as_deref())?;
        let store = self.file.open_store()?;
        let keys = wait_for(async { Ok(store.list(&owner).await?) })?;
        if self.json {
            let keys: Vec<_> = keys
                .iter()
                .map(|key| {
                    json!({
                        "id": key.id.as_str(),
                        "subject": key.subject.to_string(),
                        "created_at": key.created_at.to_string(),
                        "revoked_at": key.revoked_at.map(|at| at.to_string()),
                    })
                })
                .collect();
            say_json(&json!(keys));
            return Ok(());
        }
        say(format_args!("{:<32}  {:<20}  {:<24}  REVOKED", "KEY", "SUBJECT", "CREATED"));
        for key in &keys {
            let revoked = key.revoked_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let (subject, created) = (key.subject.to_string(), key.created_at.to_string());
            say(format_args!("{:<32}  {subject:<20}  {created:<24}  {revoked}", key.id.as_str()));
        }
        Ok(())
    }
}

impl Revoke {
    fn run(self) -> Result<(), Failure> {
        let owner = input::owner(&self.file.load()?, self.owner.as_deref())?;
        let store = self.file.open_store()?;
        let socket = self.file.control_socket()?;
        wait_for(async {
            let id = KeyId::new(self.id.as_str());
            if !store.revoke(&owner, &id, SystemClock.now()).await? {
                let why = match store.find(&owner, &id).await?.map(|key| key.revoked_at) {
                    Some(Some(at)) => format!("the key `{id}` is revoked already, since {at}"),
                    Some(None) => format!("the key `{id}` was made just now; try again"),
                    None => format!("`{owner}` has no key `{id}`; `doorward keys list` shows those that there are"),
                };
                return Err(Failure::new(why));
            }
            let whose = store.find(&owner, &id).await?.map(|key| key.subject);
            write_down(&store, Some(&owner), whose, Happening::AppKeyRevoked(id)).await;
            // First nobody new, then those who are in.
            let what = format!("key={}", self.id);
            match control::ask(&socket, &control::Request::EndSockets { owner: Some(owner.to_string()), what }).await {
                Ok(receipt) => say(format_args!("revoked; {} ended", counted(&receipt["ended"], "socket"))),
                Err(control::Unreachable::NotRunning(_)) => say("revoked; no server is running"),
                Err(error) => return Err(Failure::new(format!("revoked, but its sockets may live on: {error}"))),
            }
            Ok(())
        })
    }
}
