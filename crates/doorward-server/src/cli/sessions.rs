use clap::{Args, Subcommand};
use doorward_auth::ports::{Session, Sessions as _, What, Why};
use doorward_types::{OwnerId, SessionId};
use doorward_web::Happening;
use serde_json::json;

use super::{
    ConfigFile, Failure,
    accounts::{Whose, now},
    say, say_json, wait_for,
};

/// List or end the logins of the built-in site.
#[derive(Debug, Subcommand)]
pub(super) enum Sessions {
    /// List the logins, newest first.
    List(List),
    /// End a login, or all of an account's, with the sockets that rest on it.
    End(End),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    whose: Whose,
    /// Only those of this account.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    at_most: usize,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct End {
    /// The login's id (`sid`), as `sessions list` shows it.
    #[arg(required_unless_present = "user")]
    sid: Option<SessionId>,
    #[command(flatten)]
    whose: Whose,
    /// All logins of this account.
    #[arg(long, value_name = "NAME", conflicts_with = "sid")]
    user: Option<String>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Sessions {
    pub(super) fn run(self) -> Result<(), Failure> {
        wait_for(async {
            match self {
                Self::List(command) => command.run().await,
                Self::End(command) => command.run().await,
            }
        })
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let mut sessions = match &self.user {
            Some(name) => {
                let accounts = self.whose.open()?;
                let account = accounts.named(name).await?;
                accounts.store.of_account(&account.owner, account.id, now()).await?
            }
            None => {
                self.whose.file.knows_owner(self.whose.owner.as_deref())?;
                let owner = self.whose.owner.map(OwnerId::new);
                let store = self.whose.file.open_store()?;
                doorward_auth::ports::Sessions::list(&store, owner.as_ref(), now(), self.at_most).await?
            }
        };
        sessions.truncate(self.at_most);
        if self.json {
            say_json(&sessions.iter().map(json_of).collect());
            return Ok(());
        }
        say(format_args!("{:<32}  {:<24}  {:<8}  {:<24}  {:<24}  FROM", "SESSION", "USER", "BY", "SINCE", "LAST SEEN"));
        for session in &sessions {
            let Session { sid, username, source, .. } = session;
            let (by, since, seen) =
                (session.factors.join("+"), session.created_at.to_string(), session.last_seen.to_string());
            say(format_args!("{:<32}  {username:<24}  {by:<8}  {since:<24}  {seen:<24}  {source}", sid.to_string()));
        }
        Ok(())
    }
}

impl End {
    async fn run(self) -> Result<(), Failure> {
        let Some(sid) = self.sid else {
            let accounts = self.whose.open()?;
            let account = accounts.named(self.user.as_deref().unwrap_or_default()).await?;
            let landed = accounts.end_all_of(&account, Why::Revoked, None, Happening::SessionsEnded).await?;
            landed.say(&format!("every login of `{}` has ended", account.username), self.json);
            return Ok(());
        };
        let session = find(&self.whose.file, self.whose.owner.as_deref(), sid).await?;
        let accounts = Whose { owner: Some(session.owner.to_string()), ..self.whose }.open()?;
        let (what, happened) = (What::Rest(session.rest()), (Some(session.subject()), Happening::SessionEnded(sid)));
        let landed = accounts.end(Some(session.owner.clone()), what, Why::Revoked, None, happened).await?;
        landed.say(&format!("the login of `{}` has ended", session.username), self.json);
        Ok(())
    }
}

/// The login with that id, whose owner need not be named: the ids of logins are not an owner's own.
async fn find(file: &ConfigFile, owner: Option<&str>, sid: SessionId) -> Result<Session, Failure> {
    file.knows_owner(owner)?;
    let store = file.open_store()?;
    for known in file.load()?.owners.iter().filter(|known| owner.is_none_or(|owner| owner == known.name)) {
        if let Some(session) = store.find_by_id(&OwnerId::new(known.name.as_str()), sid, now()).await? {
            return Ok(session);
        }
    }
    let list = "`doorward sessions list` shows those that there are";
    Err(Failure::new(format!("there is no login `{sid}`, or it has ended; {list}")))
}

fn json_of(session: &Session) -> serde_json::Value {
    json!({
        "sid": session.sid.to_string(),
        "owner": session.owner.as_str(),
        "user": session.username,
        "subject": session.subject().to_string(),
        "factors": session.factors,
        "source": session.source.to_string(),
        "agent": session.agent,
        "created_at": session.created_at.to_string(),
        "last_seen": session.last_seen.to_string(),
        "expires_at": session.expires_at.to_string(),
    })
}
