use clap::Args;
use doorward_auth::{
    layers::handshake::ticket::NewTicket,
    ports::{Clock, SystemRng, Ticket, TicketBinding, Tickets},
};
use doorward_types::GateName;
use doorward_web::Happening;
use serde_json::json;

use super::{ConfigFile, Failure, accounts::write_down, input, say, say_json, wait_for};
use crate::system::SystemClock;

/// Make a one-time ticket.
#[derive(Debug, Args)]
pub(super) struct Genticket {
    #[command(flatten)]
    file: ConfigFile,
    /// The gate that it opens.
    #[arg(long, value_name = "NAME", required_unless_present = "any_gate")]
    gate: Option<String>,
    /// It opens any one of the owner's gates: for the owner's own login.
    #[arg(long, conflicts_with = "gate")]
    any_gate: bool,
    /// The owner of the gate or, with `--any-gate`, of the gates; may be left out where there is only one.
    #[arg(long)]
    owner: Option<String>,
    /// Who redeems it, as `kind:pk`, such as `member:7`.
    #[arg(long, value_name = "KIND:PK")]
    subject: String,
    /// The only origin that may redeem it.
    #[arg(long)]
    origin: Option<String>,
    /// How long it lives.
    #[arg(long, default_value = "30s", value_parser = input::span)]
    valid: std::time::Duration,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Genticket {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = self.file.load()?;
        let owner = match &self.gate {
            Some(gate) => input::owner_of_gate(&config, gate, self.owner.as_deref())?,
            None => input::owner(&config, self.owner.as_deref())?,
        };
        let issued_at = SystemClock.now();
        let expires_at = issued_at.plus(self.valid);
        let binding =
            self.gate.as_deref().map_or(TicketBinding::AnyGateOfOwner, |gate| TicketBinding::Gate(GateName::new(gate)));
        let minted = Ticket {
            owner,
            binding,
            origin: self.origin,
            subject: input::subject(&self.subject)?,
            rests_on: Vec::new(),
            issued_at,
            expires_at,
        };
        let NewTicket { text, hash } = NewTicket::draw(&SystemRng, minted.origin.as_deref());
        let store = self.file.open_or_make_store()?;
        wait_for(async {
            let (owner, whose) = (minted.owner.clone(), minted.subject.clone());
            store.mint(hash, minted).await?;
            let gate = self.gate.as_deref().map(GateName::new);
            write_down(&store, Some(&owner), Some(whose), Happening::TicketMinted(gate)).await;
            Ok(())
        })?;
        let text = text.reveal_text("it is shown to its maker, once").unwrap_or_default();
        if self.json {
            say_json(&json!({ "ticket": text, "expires_at": expires_at.to_string() }));
        } else {
            say(text);
        }
        Ok(())
    }
}
