use clap::Args;
use doorward_auth::{
    layers::conversation::{app_key::NewAppKey, challenge},
    ports::{AppKey, AppKeys, Clock, SystemRng},
};
use doorward_types::Secret;
use doorward_web::Happening;
use serde_json::json;

use super::{ConfigFile, Failure, accounts::write_down, input, note, say, say_json, wait_for};
use crate::system::SystemClock;

/// Make an app key, or the secret of a challenge.
///
/// The key is shown once: the server keeps only its public half.
#[derive(Debug, Args)]
pub(super) struct Keygen {
    #[command(flatten)]
    file: ConfigFile,
    /// Who will hold the key, as `kind:pk`, such as `terminal:7`.
    #[arg(long, value_name = "KIND:PK", required_unless_present = "challenge")]
    subject: Option<String>,
    /// The owner whose gates it opens; may be left out where there is only one.
    #[arg(long)]
    owner: Option<String>,
    /// Make the secret of a challenge instead; it goes into a file that `secret_file` names, and to the users.
    #[arg(long, conflicts_with = "subject")]
    challenge: bool,
    /// For a script.
    #[arg(long)]
    json: bool,
}

impl Keygen {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Some(subject) = &self.subject else {
            self.show(None, &challenge::draw_secret(&SystemRng));
            return Ok(());
        };
        let made = NewAppKey::draw(&SystemRng);
        let key = AppKey {
            owner: input::owner(&self.file.load()?, self.owner.as_deref())?,
            id: made.id.clone(),
            public: made.public,
            subject: input::subject(subject)?,
            created_at: SystemClock.now(),
            revoked_at: None,
        };
        let store = self.file.open_or_make_store()?;
        wait_for(async {
            let (owner, whose, id) = (key.owner.clone(), key.subject.clone(), key.id.clone());
            if !store.add(key).await? {
                return Err(Failure::new("a key with this id exists already; run the command again"));
            }
            write_down(&store, Some(&owner), Some(whose), Happening::AppKeyMade(id)).await;
            Ok(())
        })?;
        self.show(Some(made.id.as_str()), &made.text);
        Ok(())
    }

    fn show(&self, id: Option<&str>, secret: &Secret) {
        let secret = secret.reveal_text("it is shown to its maker, once").unwrap_or_default();
        if self.json {
            say_json(&json!({ "id": id, "secret": secret }));
        } else {
            if let Some(id) = id {
                note(format_args!("its id, for `keys revoke` and `sockets end key=...`: {id}"));
            }
            say(secret);
        }
    }
}
