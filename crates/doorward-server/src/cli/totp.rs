//! TOTP: the operator puts an authenticator app on an account, or takes it off.
//!
//! command -> store     draw and seal a secret          it does not count yet
//! command -> operator  picture, and the secret in groups, once
//! operator -> command  one code of the app             not with `--unconfirmed`: the user types it at the site
//! command -> store     make it count
//! command -> operator  recovery codes, once

use clap::{Args, Subcommand};
use doorward_auth::{
    account::{Confirmed, Enrolment, QrPicture},
    ports::{Account, Change, Factors as _, SystemRng, Why},
};
use doorward_types::Secret;
use doorward_web::Happening;
use serde_json::json;

use super::{
    Failure,
    accounts::{Accounts, Whose, now},
    input, note, say, say_json, wait_for,
};
use crate::kek::open_kek;

/// Put an authenticator app on an account, or take it off.
#[derive(Debug, Subcommand)]
pub(super) enum Totp {
    /// Show a picture for the app, take one of its codes, and print the recovery codes.
    Enroll(Enroll),
    /// Take the app and the recovery codes off, and end the account's logins with their sockets.
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Enroll {
    /// The account's name.
    name: String,
    #[command(flatten)]
    whose: Whose,
    /// Ask for no code: the picture is for the user, who types the first code at the site.
    #[arg(long)]
    unconfirmed: bool,
    /// For a script: what the picture says, and the secret.
    #[arg(long, requires = "unconfirmed")]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// The account's name.
    name: String,
    #[command(flatten)]
    whose: Whose,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Totp {
    pub(super) fn run(self) -> Result<(), Failure> {
        wait_for(async {
            match self {
                Self::Enroll(command) => command.run().await,
                Self::Remove(command) => command.run().await,
            }
        })
    }
}

impl Enroll {
    async fn run(self) -> Result<(), Failure> {
        let accounts = self.whose.open()?;
        let account = accounts.named(&self.name).await?;
        let key = open_kek(&accounts.config, &accounts.base, &SystemRng)?;
        let of = (&account.owner, account.id);
        let Some(begun) = Enrolment::begin(&accounts.store, &key, &SystemRng, of, now()).await? else {
            let hint = format!("`doorward totp remove {}` takes it off", account.username);
            return Err(Failure::new(format!("`{}` has an authenticator app already; {hint}", account.username)));
        };
        let seed = begun.seed();
        let address = seed.address(&accounts.config.site.name, &account.username);
        if self.json {
            say_json(&json!({ "address": shown(&address), "secret": shown(&seed.base32()) }));
            return Ok(());
        }
        say(shown(&QrPicture::of(&address)?.terminal()));
        say(format_args!("or type: {}", shown(&seed.in_groups())));
        if self.unconfirmed {
            note("it counts when its user has typed the first code at the site, under `/account/totp`");
            return Ok(());
        }
        confirm(&accounts, &account, &begun).await
    }
}

/// Asks for a code until one is right, and shows the recovery codes.
async fn confirm(accounts: &Accounts, account: &Account, begun: &Enrolment) -> Result<(), Failure> {
    let codes = loop {
        say("the code that the app shows:");
        let typed = input::typed_line()?.filter(|line| !line.trim().is_empty());
        let Some(typed) = typed else {
            return Err(Failure::new("no code was typed, so the app does not count; run the command again"));
        };
        match begun.confirm(&accounts.store, &SystemRng, &Secret::from_text(typed), now()).await? {
            Confirmed::Counts(codes) => break codes,
            Confirmed::Wrong => say("that is not its code at this time; are the clocks of phone and server right?"),
            Confirmed::Overtaken => {
                return Err(Failure::new("somebody else has begun to put an app on meanwhile; run the command again"));
            }
        }
    };
    accounts.write_down(account, Happening::TotpEnrolled).await;
    say(format_args!(
        "`{}` now logs in with a code; these recovery codes stand in for a lost phone, once each:",
        account.username
    ));
    for code in &codes {
        say(shown(&code.shown()));
    }
    Ok(())
}

impl Remove {
    async fn run(self) -> Result<(), Failure> {
        let accounts = self.whose.open()?;
        let account = accounts.named(&self.name).await?;
        if accounts.store.totp(&account.owner, account.id).await?.is_none() {
            return Err(Failure::new(format!("`{}` has no authenticator app", account.username)));
        }
        let change = Some(Change::RemoveTotp(account.id));
        let landed = accounts.end_all_of(&account, Why::CredentialChanged, change, Happening::TotpRemoved).await?;
        landed.say(&format!("`{}` logs in without a code", account.username), self.json);
        Ok(())
    }
}

fn shown(secret: &Secret) -> &str {
    secret.reveal_text("it is shown to who enrols, once").unwrap_or_default()
}
