//! The accounts of an owner's site as commands have them: looked up in the store, and ended there, with what a running server makes
//! of it.
//!
//! ```text
//! command -> store    end: mark, and append to the revocation log     in one transaction
//! command -> server   what came of that entry?                        over the control socket, where one runs
//! server  -> command  these sockets, within so many milliseconds
//! ```

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use doorward_auth::{
    account::{HashedPassword, Hashing, Password, PasswordUse, Username, Work},
    ports::{Account, Accounts as _, Change, Clock, Ending, Factors as _, Revocations as _, SystemRng, What, Why},
};
use doorward_store::Store;
use doorward_types::{Cursor, OwnerId, Subject, Timestamp};
use doorward_web::{By, Event, Happening, Journal};
use serde_json::{Value, json};

use super::{ConfigFile, Failure, input, note, say, say_json, sockets::say_receipt};
use crate::{config::Config, control, gates::Owners, system::SystemClock};

/// Whose accounts.
#[derive(Debug, Args)]
pub(super) struct Whose {
    #[command(flatten)]
    pub(super) file: ConfigFile,
    /// The owner whose accounts are meant; may be left out where there is only one.
    #[arg(long)]
    pub(super) owner: Option<String>,
}

/// The accounts of one owner.
pub(super) struct Accounts {
    pub(super) config: Config,
    pub(super) base: PathBuf,
    pub(super) owner: OwnerId,
    pub(super) store: Store,
    socket: Option<PathBuf>,
}

impl Whose {
    pub(super) fn open(&self) -> Result<Accounts, Failure> {
        self.open_with(ConfigFile::open_store)
    }

    /// As [`open`](Self::open), with a store that is made where there is none yet.
    pub(super) fn open_or_make(&self) -> Result<Accounts, Failure> {
        self.open_with(ConfigFile::open_or_make_store)
    }

    fn open_with(&self, open: impl Fn(&ConfigFile) -> Result<Store, Failure>) -> Result<Accounts, Failure> {
        let config = self.file.load()?;
        let owner = input::owner(&config, self.owner.as_deref())?;
        let store = open(&self.file)?;
        let socket = self.file.control_socket().ok();
        Ok(Accounts { config, base: self.file.base(), owner, store, socket })
    }
}

impl Accounts {
    /// The account of that name, as names are compared.
    pub(super) async fn named(&self, name: &str) -> Result<Account, Failure> {
        named(&self.store, &self.owner, name).await
    }

    /// A password that the account of that name may have, asked for and hashed.
    pub(super) async fn new_password(
        &self,
        username: &Username,
        used: PasswordUse,
        from_stdin: bool,
    ) -> Result<HashedPassword, Failure> {
        let rules = Owners::of(&self.config).rules_of(&self.owner);
        let typed = input::new_password(from_stdin)?;
        let password = Password::read(&typed)?;
        let password = rules
            .check(password, username, used)
            .map_err(|why| Failure::new(format!("the password cannot be taken: {why}")))?;
        Ok(Hashing::new(Work::default(), 1)?.hash(&password, &SystemRng).await?)
    }

    /// A password that nobody knows, hashed.
    pub(super) async fn no_password(&self) -> Result<HashedPassword, Failure> {
        Ok(Hashing::new(Work::default(), 1)?.hash_of_no_password(&SystemRng).await?)
    }

    /// What a login asks of the account beside its password.
    pub(super) async fn password_use(&self, account: &Account) -> Result<PasswordUse, Failure> {
        let totp = self.store.totp(&account.owner, account.id).await?;
        let has_second = totp.is_some_and(|totp| totp.confirmed_at.is_some());
        Ok(if has_second { PasswordUse::WithSecondFactor } else { PasswordUse::Alone })
    }

    /// Ends every login of an account, and what rests on the account itself.
    pub(super) async fn end_all_of(
        &self,
        account: &Account,
        why: Why,
        change: Option<Change>,
        what: Happening,
    ) -> Result<Landed, Failure> {
        let (rest, whose) = (What::Rest(account.subject().rest()), Some(account.subject()));
        self.end(Some(account.owner.clone()), rest, why, change, (whose, what)).await
    }

    /// Has what the operator does to an account in the audit log.
    pub(super) async fn write_down(&self, account: &Account, what: Happening) {
        write_down(&self.store, Some(&account.owner), Some(account.subject()), what).await;
    }

    /// Ends something in the store, has it in the audit log, and asks the server that runs what came of it.
    pub(super) async fn end(
        &self,
        owner: Option<OwnerId>,
        what: What,
        why: Why,
        change: Option<Change>,
        (whose, happened): (Option<Subject>, Happening),
    ) -> Result<Landed, Failure> {
        let of = owner.clone();
        let Cursor(entry) = self.store.end(Ending { owner, what, why, change, at: now() }).await?;
        write_down(&self.store, of.as_ref(), whose, happened).await;
        let Some(socket) = &self.socket else { return Ok(Landed::NobodyRuns) };
        let lives_on = |why: &dyn std::fmt::Display| {
            let lives_on = "what has ended may live on there until it has read the revocation log";
            Failure::new(format!("it is written down, but the server did not say what came of it: {why}; {lives_on}"))
        };
        match control::ask(socket, &control::Request::Receipt { entry }).await {
            Ok(receipt) if receipt["silent"].as_array().is_none_or(Vec::is_empty) => Ok(Landed::At(receipt)),
            Ok(_) => Err(lives_on(&"it cannot read the store")),
            Err(control::Unreachable::NotRunning(_)) => Ok(Landed::NobodyRuns),
            Err(error) => Err(lives_on(&error)),
        }
    }
}

/// The account of that name, as names are compared.
pub(super) async fn named(store: &Store, owner: &OwnerId, name: &str) -> Result<Account, Failure> {
    let found = match Username::parse(name) {
        Ok(username) => store.find_by_name(owner, username.unique()).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        let list = "`doorward user list` shows those that there are";
        Failure::new(format!("`{owner}` has no account `{name}`; {list}"))
    })
}

/// Has what the operator does here in the audit log. It is done whether or not the log takes it, and whoever did it is told.
pub(super) async fn write_down(store: &Store, owner: Option<&OwnerId>, whose: Option<Subject>, what: Happening) {
    let journal = Journal::new(Arc::new(store.clone()), Arc::new(SystemClock), Arc::new(SystemRng));
    let event = Event { owner: owner.cloned(), whose, source: None, by: By::CommandLine, what };
    let written = async {
        journal.given(event)?;
        journal.flush().await
    };
    if let Err(error) = written.await {
        note(format_args!("the audit log has not taken it: {error}"));
    }
}

/// What came of an ending.
pub(super) enum Landed {
    /// There was nobody whom it could end.
    NobodyRuns,
    /// The receipt of the server that runs.
    At(Value),
}

impl Landed {
    /// Says it, after the sentence of what was done.
    pub(super) fn say(&self, done: &str, json: bool) {
        match (self, json) {
            (_, true) => say_json(&self.document()),
            (Self::NobodyRuns, false) => say(format_args!("{done}; no server runs, nothing was open")),
            (Self::At(receipt), false) => {
                say(done);
                say_receipt(receipt);
            }
        }
    }

    /// The same for a script.
    pub(super) fn document(&self) -> Value {
        match self {
            Self::NobodyRuns => json!({ "running": false }),
            Self::At(receipt) => {
                let mut receipt = receipt.clone();
                receipt["running"] = true.into();
                receipt
            }
        }
    }
}

/// The time, which commands take from the machine.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}
