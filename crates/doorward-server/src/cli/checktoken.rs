use std::{path::PathBuf, sync::Arc};

use clap::Args;
use doorward_auth::token::{Issuer, KeyRing, NotVerified};
use doorward_outbound::Outbound;
use serde_json::json;

use super::{ConfigFile, Failure, input, say, say_json, wait_for};
use crate::{node, system::SystemClock};

/// Check a token as the gates would, and say what is wrong with it. Keys that the issuer publishes are fetched for it.
///
/// The token comes from a file, from `DOORWARD_TOKEN`, or from standard input; it is never an argument.
#[derive(Debug, Args)]
pub(super) struct Checktoken {
    #[command(flatten)]
    file: ConfigFile,
    /// The `name` of the `[[issuer]]`.
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// The file with the token; or else `DOORWARD_TOKEN`, or else standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Checktoken {
    pub(super) fn run(self) -> Result<(), Failure> {
        let issuer = fetching(node::issuer(&self.file.load()?, &self.file.base(), &self.issuer)?);
        let token = input::token(self.token_file.as_deref())?;
        match wait_for(async { Ok(issuer.verify_fetching(&token, &SystemClock).await) })? {
            Ok(token) => {
                if self.json {
                    let expires_at = token.expires_at.to_string();
                    say_json(&json!({ "valid": true, "subject": token.subject.to_string(), "expires_at": expires_at }));
                } else {
                    say(format_args!("valid: of {}, until {}", token.subject, token.expires_at));
                }
                Ok(())
            }
            Err(NotVerified::Unavailable(why)) => {
                if self.json {
                    say_json(&json!({ "valid": null, "reason": why.to_string() }));
                }
                Err(Failure::new(format!("nobody can say whether the token is good: {why}")))
            }
            Err(NotVerified::Broken(why)) => {
                if self.json {
                    say_json(&json!({ "valid": false, "reason": why.to_string() }));
                }
                Err(Failure::new(format!("the token is refused: {why}")))
            }
        }
    }
}

/// The issuer, which fetches its keys where they are not in a file.
fn fetching(issuer: Issuer) -> Issuer {
    let Some(place) = issuer.key_place().cloned() else { return issuer };
    let ring = KeyRing::new(place, Arc::new(Outbound::new()), Arc::new(SystemClock), |_| {});
    issuer.with_keys(ring)
}
