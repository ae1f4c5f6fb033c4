use clap::{Args, Subcommand};
use doorward_auth::{
    NewInvitation,
    account::{Checks, PasswordUse, Username, tries_of_name},
    ports::{
        Account, Accounts as _, Change, Created, Invitation, NewAccount, Reset, Role, SystemRng, Throttle as _, What,
        Why,
    },
};
use doorward_types::{AccountId, Timestamp};
use doorward_web::Happening;
use serde_json::json;

use super::{
    Failure,
    accounts::{Accounts, Whose, now, write_down},
    input, note, say, say_json, wait_for,
};
use crate::gates::Owners;

/// How many accounts are read at once.
const PAGE: usize = 500;

/// Make, list, disable and invite the users of the built-in site.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make an account; its password is asked for twice and not shown.
    Add(Add),
    /// List the accounts.
    List(List),
    /// Let an account log in no more, and end its logins with their sockets.
    Disable(Disable),
    /// Let a disabled account log in again. What it had before does not come back.
    Enable(Enable),
    /// Print a link by which somebody makes one account.
    Invite(Invite),
    /// End what was issued before a time: logins, tickets, tokens, and the sockets that they opened.
    NotBefore(NotBefore),
    /// Give an account another password, or a link to set one, and end its logins with their sockets.
    Passwd(Passwd),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The name.
    #[arg(required_unless_present = "invite")]
    name: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// What the account may do at the site: `user`, `owner` (sees the accounts and sockets of its owner) or `operator` (sees all).
    #[arg(long, default_value = "user", value_parser = input::role)]
    role: Role,
    /// Read the password from the first line of standard input.
    #[arg(long, conflicts_with = "invite")]
    password_stdin: bool,
    /// Print a link by which somebody makes the account, instead of making it: as `user invite`.
    #[arg(long, conflicts_with = "name")]
    invite: bool,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    whose: Whose,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Disable {
    /// The account's name.
    name: String,
    #[command(flatten)]
    whose: Whose,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Enable {
    /// The account's name.
    name: String,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Args)]
pub(super) struct Invite {
    #[command(flatten)]
    whose: Whose,
    /// What the account may do at the site: `user`, `owner` (sees the accounts and sockets of its owner) or `operator` (sees all).
    #[arg(long, default_value = "user", value_parser = input::role)]
    role: Role,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct NotBefore {
    /// The account's name.
    #[arg(required_unless_present = "all")]
    name: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// Everybody: of all owners, or of the one that `--owner` names.
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// The time, as in `2026-11-22T01:53:06Z`; now where it is left out.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Passwd {
    /// The account's name.
    name: String,
    #[command(flatten)]
    whose: Whose,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Print a link by which its holder sets another one, within a day; until then no password opens the account.
    #[arg(long, conflicts_with = "password_stdin")]
    link: bool,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl User {
    pub(super) fn run(self) -> Result<(), Failure> {
        wait_for(async {
            match self {
                Self::Add(command) => command.run().await,
                Self::List(command) => command.run().await,
                Self::Disable(command) => command.run().await,
                Self::Enable(command) => command.run().await,
                Self::Invite(command) => command.run().await,
                Self::NotBefore(command) => command.run().await,
                Self::Passwd(command) => command.run().await,
            }
        })
    }
}

impl Add {
    async fn run(self) -> Result<(), Failure> {
        let Some(name) = self.name else {
            return Invite { whose: self.whose, role: self.role, json: self.json }.run().await;
        };
        let accounts = self.whose.open_or_make()?;
        let username = Username::parse(&name)?;
        let taken = || {
            let owner = &accounts.owner;
            Failure::new(format!("`{owner}` has an account of that name already; names differ in more than their case"))
        };
        if accounts.store.find_by_name(&accounts.owner, username.unique()).await?.is_some() {
            return Err(taken());
        }
        let password = accounts.new_password(&username, PasswordUse::Alone, self.password_stdin).await?;
        let account = NewAccount {
            owner: accounts.owner.clone(),
            username: username.shown().to_owned(),
            unique: username.unique().to_owned(),
            role: self.role,
            password: password.into_secret(),
            invitation: None,
            at: now(),
        };
        let Created::Account(account) = accounts.store.create(account).await? else { return Err(taken()) };
        accounts.write_down(&account, Happening::Registered { role: account.role, invited: false }).await;
        if self.json {
            say_json(&json_of(&account));
        } else {
            say(format_args!("made `{}`, {}", account.username, account.subject()));
        }
        Ok(())
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        self.whose.file.knows_owner(self.whose.owner.as_deref())?;
        let store = self.whose.file.open_store()?;
        let owner = self.whose.owner.map(doorward_types::OwnerId::new);
        let (mut accounts, mut last): (Vec<Account>, Option<AccountId>) = (Vec::new(), None);
        loop {
            let page = store.list(owner.as_ref(), last, PAGE).await?;
            last = page.last().map(|account| account.id);
            let is_last = page.len() < PAGE;
            accounts.extend(page);
            if is_last {
                break;
            }
        }
        if self.json {
            say_json(&accounts.iter().map(json_of).collect());
            return Ok(());
        }
        say(format_args!(
            "{:<24}  {:<14}  {:<12}  {:<8}  {:<24}  DISABLED",
            "USER", "SUBJECT", "OWNER", "ROLE", "CREATED"
        ));
        for account in &accounts {
            let disabled = account.disabled_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let (subject, owner, created) =
                (account.subject().to_string(), account.owner.as_str(), account.created_at.to_string());
            let (name, role) = (&account.username, account.role.as_str());
            say(format_args!("{name:<24}  {subject:<14}  {owner:<12}  {role:<8}  {created:<24}  {disabled}"));
        }
        Ok(())
    }
}

impl Disable {
    async fn run(self) -> Result<(), Failure> {
        let accounts = self.whose.open()?;
        let account = accounts.named(&self.name).await?;
        if let Some(at) = account.disabled_at {
            return Err(Failure::new(format!("`{}` is disabled already, since {at}", account.username)));
        }
        let change = Some(Change::Disable(account.id));
        let landed = accounts.end_all_of(&account, Why::Disabled, change, Happening::Disabled).await?;
        landed.say(&format!("`{}` lets nobody in any more", account.username), self.json);
        Ok(())
    }
}

impl Enable {
    async fn run(self) -> Result<(), Failure> {
        let accounts = self.whose.open()?;
        let account = accounts.named(&self.name).await?;
        if !accounts.store.enable(&account.owner, account.id).await? {
            return Err(Failure::new(format!("`{}` is not disabled", account.username)));
        }
        accounts.write_down(&account, Happening::Enabled).await;
        say(format_args!("`{}` may log in again", account.username));
        Ok(())
    }
}

impl Invite {
    async fn run(self) -> Result<(), Failure> {
        let accounts = self.whose.open_or_make()?;
        let (role, expires_at) = (self.role, now().plus(Invitation::LASTS));
        let invitation = Invitation { owner: accounts.owner.clone(), role, expires_at, first: false };
        let new = NewInvitation::to_register(&accounts.store, &SystemRng, invitation).await?;
        let link = new.link(&address(&accounts));
        write_down(&accounts.store, Some(&accounts.owner), None, Happening::Invited(role)).await;
        let link = link.reveal_text("it is shown to whoever invites, once").unwrap_or_default();
        if !accounts.config.site.enabled {
            note("the site is off, so that nobody can follow the link; `[site] enabled = true` turns it on");
        }
        if self.json {
            say_json(&json!({ "link": link, "role": self.role.as_str(), "expires_at": expires_at.to_string() }));
        } else {
            note(format_args!("for one account with the role `{}`, until {expires_at}", self.role.as_str()));
            say(link);
        }
        Ok(())
    }
}

impl NotBefore {
    async fn run(self) -> Result<(), Failure> {
        let now = now();
        let at = self.at.unwrap_or(now);
        if at > now {
            return Err(Failure::new(format!("{at} has yet to come; until then nobody could log in")));
        }
        if self.all && self.whose.owner.is_none() {
            return self.everybody(at).await;
        }
        let accounts = self.whose.open()?;
        let (subject, who) = match &self.name {
            Some(name) => {
                let account = accounts.named(name).await?;
                (Some(account.subject()), format!("of `{}`", account.username))
            }
            None => (None, format!("of everybody at `{}`", accounts.owner)),
        };
        let (what, happened) = (What::NotBefore { subject: subject.clone(), at }, (subject, Happening::NotBefore(at)));
        let landed = accounts.end(Some(accounts.owner.clone()), what, Why::Revoked, None, happened).await?;
        landed.say(&format!("what {who} was issued before {at} has ended"), self.json);
        Ok(())
    }

    /// Of all owners, which the operator alone may say.
    async fn everybody(self, at: Timestamp) -> Result<(), Failure> {
        let first = self.whose.file.load()?.owners.first().map(|owner| owner.name.clone());
        let accounts = Whose { owner: first, ..self.whose }.open()?;
        let (what, happened) = (What::NotBefore { subject: None, at }, (None, Happening::NotBefore(at)));
        let landed = accounts.end(None, what, Why::Revoked, None, happened).await?;
        landed.say(&format!("what anybody was issued before {at} has ended"), self.json);
        Ok(())
    }
}

impl Passwd {
    async fn run(self) -> Result<(), Failure> {
        let accounts = self.whose.open()?;
        let account = accounts.named(&self.name).await?;
        if self.link {
            return self.link(&accounts, &account).await;
        }
        let (username, used) = (Username::parse(&account.username)?, accounts.password_use(&account).await?);
        let password = accounts.new_password(&username, used, self.password_stdin).await?;
        let change = Change::Password(account.id, password.into_secret());
        let landed =
            accounts.end_all_of(&account, Why::CredentialChanged, Some(change), Happening::PasswordChanged).await?;
        // Whoever was locked out by wrong tries of the old one gets in by the new one.
        let tries = tries_of_name(&account.unique);
        accounts.store.forgive(&account.owner, Checks::PASSWORD, tries).await?;
        landed.say(&format!("`{}` has another password", account.username), self.json);
        Ok(())
    }

    /// First nobody gets in by the old one, then the link is made.
    async fn link(&self, accounts: &Accounts, account: &Account) -> Result<(), Failure> {
        let none = accounts.no_password().await?;
        let change = Change::Password(account.id, none.into_secret());
        let landed =
            accounts.end_all_of(account, Why::CredentialChanged, Some(change), Happening::SessionsEnded).await?;
        let expires_at = now().plus(Reset::LASTS);
        let reset = Reset { owner: account.owner.clone(), account: account.id, expires_at };
        let new = NewInvitation::to_reset(&accounts.store, &SystemRng, reset).await?;
        accounts.write_down(account, Happening::ResetLinkMade(expires_at)).await;
        let link = new.link(&address(accounts));
        let link = link.reveal_text("it is shown to whoever hands it out, once").unwrap_or_default();
        if self.json {
            say_json(&json!({ "link": link, "expires_at": expires_at.to_string(), "landed": landed.document() }));
        } else {
            landed.say(&format!("no password opens `{}` until the link is used", account.username), false);
            note(format_args!("for `{}` alone, until {expires_at}", account.username));
            say(link);
        }
        Ok(())
    }
}

/// The address that a link begins with: where the configuration names none, as near as can be.
fn address(accounts: &Accounts) -> String {
    let (config, owners) = (&accounts.config, Owners::of(&accounts.config));
    let guessed = || {
        let scheme = if config.server.tls.is_some() { "https" } else { "http" };
        let host = owners.host_of(&accounts.owner).map(str::to_owned);
        format!("{scheme}://{}", host.unwrap_or_else(|| config.server.listen.0.to_string()))
    };
    owners.address_of(&accounts.owner).unwrap_or_else(guessed)
}

fn json_of(account: &Account) -> serde_json::Value {
    json!({
        "owner": account.owner.as_str(),
        "name": account.username,
        "subject": account.subject().to_string(),
        "role": account.role.as_str(),
        "created_at": account.created_at.to_string(),
        "disabled_at": account.disabled_at.map(|at| at.to_string()),
    })
}
