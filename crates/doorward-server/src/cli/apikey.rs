use clap::{Args, Subcommand};
use doorward_auth::{
    NewApiKey, Scope,
    ports::{ApiKey, ApiKeys, Clock, SystemRng},
};
use doorward_web::Happening;
use serde_json::json;

use super::{ConfigFile, Failure, accounts::write_down, input, note, say, say_json, wait_for};
use crate::system::SystemClock;

/// Make, list or revoke keys to the HTTP API.
#[derive(Debug, Subcommand)]
pub(super) enum Apikey {
    /// Make a key. It is shown once: the server keeps only its hash.
    Add(Add),
    /// List the keys, oldest first.
    List(List),
    /// Revoke a key.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// What the key is for, in words.
    name: String,
    /// What it may do, such as `sockets:read`; several times for more.
    #[arg(long = "scope", value_name = "SCOPE", required_unless_present = "all", value_parser = scope)]
    scopes: Vec<Scope>,
    /// It may do everything.
    #[arg(long, conflicts_with = "scopes")]
    all: bool,
    /// Whose things it sees; without an owner it is the operator's, and sees all.
    #[arg(long)]
    owner: Option<String>,
    /// How long it holds, such as `720h`; for ever where nothing is said.
    #[arg(long, value_parser = input::span)]
    valid: Option<std::time::Duration>,
    #[command(flatten)]
    file: ConfigFile,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Only those of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key's id, as `apikey list` shows it.
    id: String,
    #[command(flatten)]
    file: ConfigFile,
    /// Only if it is this owner's.
    #[arg(long)]
    owner: Option<String>,
}

impl Apikey {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(),
            Self::List(command) => command.run(),
            Self::Revoke(command) => command.run(),
        }
    }
}

impl Add {
    fn run(self) -> Result<(), Failure> {
        let config = self.file.load()?;
        let owner = self.owner.as_deref().map(|name| input::owner(&config, Some(name))).transpose()?;
        let scopes = if self.all { Scope::ALL.to_vec() } else { self.scopes };
        let NewApiKey { text, hash, id } = NewApiKey::draw(&SystemRng);
        let now = SystemClock.now();
        let key = ApiKey {
            owner: owner.clone(),
            id: id.clone(),
            name: self.name,
            scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            created_at: now,
            expires_at: self.valid.map(|valid| now.plus(valid)),
            revoked_at: None,
        };
        let store = self.file.open_or_make_store()?;
        wait_for(async {
            ApiKeys::add(&store, hash, key).await?;
            write_down(&store, owner.as_ref(), None, Happening::ApiKeyMade(id.clone())).await;
            Ok(())
        })?;
        let secret = text.reveal_text("it is shown to its maker, once").unwrap_or_default();
        if self.json {
            say_json(&json!({ "id": id, "secret": secret }));
        } else {
            note(format_args!("its id, for `apikey revoke`: {id}"));
            say(secret);
        }
        Ok(())
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let config = self.file.load()?;
        let owner = self.owner.as_deref().map(|name| input::owner(&config, Some(name))).transpose()?;
        let store = self.file.open_store()?;
        let keys = wait_for(async { Ok(ApiKeys::list(&store, owner.as_ref()).await?) })?;
        if self.json {
            let shown = keys.iter().map(|key| {
                let owner = key.owner.as_ref().map(|owner| owner.as_str());
                let revoked_at = key.revoked_at.map(|at| at.to_string());
                json!({ "id": key.id, "owner": owner, "name": key.name, "scopes": key.scopes, "revoked_at": revoked_at })
            });
            say_json(&shown.collect());
            return Ok(());
        }
        say(format_args!(
            "{:<16}  {:<12}  {:<20}  {:<24}  {:<24}  SCOPES",
            "KEY", "OWNER", "NAME", "EXPIRES", "REVOKED"
        ));
        for key in &keys {
            let time = |at: Option<doorward_types::Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let owner = key.owner.as_ref().map_or("-", |owner| owner.as_str());
            let (expires, revoked) = (time(key.expires_at), time(key.revoked_at));
            let scopes = key.scopes.join(" ");
            say(format_args!("{:<16}  {owner:<12}  {:<20}  {expires:<24}  {revoked:<24}  {scopes}", key.id, key.name));
        }
        Ok(())
    }
}

impl Revoke {
    fn run(self) -> Result<(), Failure> {
        let config = self.file.load()?;
        let owner = self.owner.as_deref().map(|name| input::owner(&config, Some(name))).transpose()?;
        let store = self.file.open_store()?;
        if !wait_for(async { Ok(ApiKeys::revoke(&store, owner.as_ref(), &self.id, SystemClock.now()).await?) })? {
            let id = &self.id;
            return Err(Failure::new(format!(
                "there is no key `{id}` that holds; `doorward apikey list` shows those that there are"
            )));
        }
        wait_for(async {
            write_down(&store, owner.as_ref(), None, Happening::ApiKeyRevoked(self.id.clone())).await;
            Ok(())
        })?;
        say("revoked");
        Ok(())
    }
}

fn scope(word: &str) -> Result<Scope, String> {
    Scope::read(word).ok_or_else(|| {
        let all = Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
        format!("there is no such scope; there are {all}")
    })
}
