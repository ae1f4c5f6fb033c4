//! Authenticator app: put one on, or take it off.
//!
//! user -> site   get /account/totp             on or off
//! user -> site   post /account/totp            with the password: a stolen cookie alone puts nothing on
//! site           draw and seal a secret        it does not count yet
//! site -> user   picture, and the secret in groups: shown this once
//! user -> site   post /account/totp/confirm    one code of the app
//! site           make it count
//! site -> user   recovery codes: shown this once
//!
//! user -> site   post /account/totp/codes      with the password, or a code of the app
//! site           put new recovery codes in the place of the old ones
//! site -> user   recovery codes: shown this once
//!
//! user -> site   post /account/totp/remove     with the password, which has to be long enough to stand alone
//! site           forget it, end all other logins   in one act

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use doorward_auth::{
    account::{self, Confirmed, PasswordUse, QrPicture, RecoveryCode, Username},
    ports::{Change, Ending, What, Why},
};
use doorward_types::{AccountId, OwnerId, Secret, Timestamp};
use http::StatusCode;

use crate::{
    Event, Happening,
    credentials::Missed,
    desk::Desk,
    field::{Field, Problems},
    page::{Frame, go, page, retry_after},
    pages::register::checked,
    sorry::Sorry,
    visit::Member,
};

/// The page of who enrols an app, for themselves or for somebody beside them.
#[derive(Template)]
#[template(path = "totp_scan.html")]
struct Scan {
    frame: Frame,
    problems: Problems,
    /// The name of somebody else, for whom an owner does this.
    other: Option<String>,
    /// Picture and secret; nothing where the page was shown before.
    picture: Option<(Secret, Secret)>,
    confirm: String,
    again: String,
    back: String,
    code: Field,
}

#[derive(Template)]
#[template(path = "totp_done.html")]
struct Done {
    frame: Frame,
    other: Option<String>,
    back: String,
    codes: Vec<Secret>,
    /// Whether the app was there before, and only its recovery codes are new.
    are_new_alone: bool,
}

#[derive(Template)]
#[template(path = "totp.html")]
struct OnOrOff {
    frame: Frame,
    problems: Problems,
    is_on: bool,
    recovery_codes: usize,
    proof: Field,
    password: Field,
}

impl Scan {
    /// A secret as markup or text; only for what this page shows on purpose.
    fn shown<'a>(&self, secret: &'a Secret) -> &'a str {
        secret.reveal_text("shown once to who enrols").unwrap_or_default()
    }
}

impl Done {
    fn shown<'a>(&self, secret: &'a Secret) -> &'a str {
        secret.reveal_text("shown once to who enrols").unwrap_or_default()
    }
}

/// Whose app is enrolled, and where the pages of that are.
pub(crate) struct Enrolment<'a> {
    pub(crate) owner: &'a OwnerId,
    pub(crate) account: AccountId,
    pub(crate) username: &'a str,
    /// Whether it is somebody else's than that of who is logged in.
    pub(crate) is_others: bool,
    /// Where to begin, and with `/confirm` where to confirm.
    pub(crate) address: String,
    /// Where to go when it is done.
    pub(crate) back: String,
}

impl Enrolment<'_> {
    fn other(&self) -> Option<String> {
        self.is_others.then(|| self.username.to_owned())
    }

    /// Draws a secret and shows it, this once.
    pub(crate) async fn begin(&self, desk: &Desk, frame: Frame, now: Timestamp) -> Result<Response, Sorry> {
        let (factors, sealing) = (&*desk.ports().factors, &desk.parts.tools.sealing);
        let begun = account::Enrolment::begin(factors, sealing, desk.rng(), (self.owner, self.account), now).await?;
        let Some(begun) = begun else { return Ok(go(&self.back)) };
        let seed = begun.seed();
        let picture = QrPicture::of(&seed.address(&desk.parts.config.name, self.username)).map_err(|error| {
            tracing::error!(%error, "the picture for an authenticator app could not be drawn");
            Sorry::Down
        })?;
        self.show(frame, StatusCode::OK, Some((picture.svg(), seed.in_groups())), None)
    }

    /// Takes one code, which makes the app count, and shows the recovery codes, this once. `enrolled` is written down where it does.
    pub(crate) async fn confirm(
        &self,
        desk: &Desk,
        frame: Frame,
        code: &Secret,
        now: Timestamp,
        enrolled: Event,
    ) -> Result<Response, Sorry> {
        let (factors, sealing) = (&*desk.ports().factors, &desk.parts.tools.sealing);
        let begun = account::Enrolment::begun(factors, sealing, (self.owner, self.account)).await?;
        let Some(begun) = begun else { return Ok(go(&self.back)) };
        let codes = match begun.confirm(factors, desk.rng(), code, now).await? {
            Confirmed::Counts(codes) => codes,
            Confirmed::Overtaken => return Ok(go(&self.back)),
            Confirmed::Wrong => {
                let why =
                    "This code is wrong. Type the newest one of the app, and see that the phone's clock is right.";
                return self.show(frame, StatusCode::UNPROCESSABLE_ENTITY, None, Some(why.to_owned()));
            }
        };
        desk.done(enrolled);
        let codes = codes.iter().map(RecoveryCode::shown).collect();
        page(StatusCode::OK, &Done { frame, other: self.other(), back: self.back.clone(), codes, are_new_alone: false })
    }

    fn show(
        &self,
        frame: Frame,
        status: StatusCode,
        picture: Option<(Secret, Secret)>,
        wrong: Option<String>,
    ) -> Result<Response, Sorry> {
        let code = Field::code(false).hint("What the app shows now, without the space.").error(wrong);
        let problems = Problems::of(None, &[&code]);
        let (confirm, again) = (format!("{}/confirm", self.address), self.address.clone());
        page(
            status,
            &Scan { frame, problems, other: self.other(), picture, confirm, again, back: self.back.clone(), code },
        )
    }
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/account/totp", get(ask).post(begin))
        .route("/account/totp/confirm", post(confirm))
        .route("/account/totp/codes", post(renew_codes))
        .route("/account/totp/remove", post(remove))
}

impl Member {
    fn enrolment(&self) -> Enrolment<'_> {
        Enrolment {
            owner: &self.session.owner,
            account: self.session.account,
            username: &self.session.username,
            is_others: false,
            address: "/account/totp".to_owned(),
            back: "/account/totp".to_owned(),
        }
    }
}

async fn ask(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    show(&desk, &member, StatusCode::OK, Wrong::default()).await
}

async fn begin(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    if desk.confirmed_totp(&member.session.owner, member.session.account).await?.is_some() {
        return Ok(go("/account/totp"));
    }
    if let Err(refused) = present_password(&desk, &member).await? {
        return Ok(refused);
    }
    member.enrolment().begin(&desk, Frame::of(&desk, &member.visit), member.visit.now).await
}

async fn confirm(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let (code, enrolled) = (member.visit.form()?.secret("code"), member.event(Happening::TotpEnrolled));
    member.enrolment().confirm(&desk, Frame::of(&desk, &member.visit), &code, member.visit.now, enrolled).await
}

async fn renew_codes(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let (visit, session) = (&member.visit, &member.session);
    if desk.confirmed_totp(&session.owner, session.account).await?.is_none() {
        return Ok(go("/account/totp"));
    }
    let typed = visit.form()?.secret("proof");
    match desk.try_proof(visit, &session.subject(), &typed).await? {
        Ok(()) => {}
        Err(Missed::Wrong | Missed::Unreadable) => {
            let why = "This is neither your present password nor a code that the app shows now.".to_owned();
            let wrong = Wrong { proof: Some(why), ..Wrong::default() };
            return show(&desk, &member, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
        }
        Err(Missed::Held(held)) => {
            let wrong = Wrong { whole: Some(held.sentence()), ..Wrong::default() };
            let response = show(&desk, &member, StatusCode::TOO_MANY_REQUESTS, wrong).await?;
            return Ok(retry_after(response, held.wait()));
        }
    }
    desk.parts.journal.is_taking()?;
    let codes = RecoveryCode::draw_all(desk.rng());
    let hashes = codes.iter().map(RecoveryCode::hash).collect();
    desk.ports().factors.renew_recovery_codes(&session.owner, session.account, hashes).await?;
    desk.given(member.event(Happening::RecoveryCodesRenewed))?;
    let codes = codes.iter().map(RecoveryCode::shown).collect();
    let (frame, back) = (Frame::of(&desk, visit), "/account/totp".to_owned());
    page(StatusCode::OK, &Done { frame, other: None, back, codes, are_new_alone: true })
}

async fn remove(State(desk): State<Arc<Desk>>, member: Member) -> Result<Response, Sorry> {
    let (visit, session) = (&member.visit, &member.session);
    let password = match present_password(&desk, &member).await? {
        Ok(password) => password,
        Err(refused) => return Ok(refused),
    };
    let username = Username::parse(&session.username).ok();
    if let Err(why) = checked(&desk, visit, username.as_ref(), &password, PasswordUse::Alone) {
        let why = format!("Without the app this password would stand alone. {why} Change it first.");
        let wrong = Wrong { password: Some(why), ..Wrong::default() };
        return show(&desk, &member, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
    }
    let ending = Ending {
        owner: Some(session.owner.clone()),
        what: What::Others { subject: session.subject(), keep: session.sid },
        why: Why::CredentialChanged,
        change: Some(Change::RemoveTotp(session.account)),
        at: visit.now,
    };
    desk.ports().revocations.end(ending).await?;
    desk.done(member.event(Happening::TotpRemoved));
    Ok(go("/account?done=totp"))
}

/// The present password that the form brings, once it was found right; otherwise the page that says why not.
async fn present_password(desk: &Desk, member: &Member) -> Result<Result<Secret, Response>, Sorry> {
    let password = member.visit.form()?.secret("password");
    match desk.try_own_password(&member.visit, &member.session.subject(), &password).await? {
        Ok(_) => Ok(Ok(password)),
        Err(Missed::Wrong | Missed::Unreadable) => {
            let why = "This is not your present password.".to_owned();
            let wrong = Wrong { password: Some(why), ..Wrong::default() };
            Ok(Err(show(desk, member, StatusCode::UNPROCESSABLE_ENTITY, wrong).await?))
        }
        Err(Missed::Held(held)) => {
            let wrong = Wrong { whole: Some(held.sentence()), ..Wrong::default() };
            let response = show(desk, member, StatusCode::TOO_MANY_REQUESTS, wrong).await?;
            Ok(Err(retry_after(response, held.wait())))
        }
    }
}

#[derive(Default)]
struct Wrong {
    whole: Option<String>,
    proof: Option<String>,
    password: Option<String>,
}

async fn show(desk: &Desk, member: &Member, status: StatusCode, wrong: Wrong) -> Result<Response, Sorry> {
    let session = &member.session;
    let is_on = desk.confirmed_totp(&session.owner, session.account).await?.is_some();
    let recovery_codes = desk.ports().factors.recovery_codes_left(&session.owner, session.account).await?;
    let proof = Field::proof().error(wrong.proof);
    let password = Field::password("Your password").error(wrong.password);
    let problems = Problems::of(wrong.whole, &[&proof, &password]);
    page(status, &OnOrOff { frame: Frame::of(desk, &member.visit), problems, is_on, recovery_codes, proof, password })
}
