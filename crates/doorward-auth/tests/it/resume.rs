//! Climbs on an open socket: what is asked again, and what stands.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doorward_auth::{
    Admission, Again, BoxFuture, Claimant, Climb, ClimbEvent, Conversation, Fault, Layer, OnExpiry, Proof, Refusal,
    Resume,
};
use doorward_testkit::{Peer, World};
use doorward_types::{Cursor, Rest, TraceId};

use crate::support::{Word, rungs, word};

/// Proves a member by a login, another one each time; or passes without a word.
struct Login {
    name: &'static str,
    member: &'static str,
    sids: AtomicUsize,
    silent: bool,
}

impl Login {
    fn of(name: &'static str, member: &'static str) -> Self {
        Self { name, member, sids: AtomicUsize::new(1), silent: false }
    }
}

impl Layer for Login {
    fn name(&self) -> &'static str {
        self.name
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(&'a self, _: &'a mut Conversation, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        let sid = format!("s{}", self.sids.fetch_add(1, Ordering::Relaxed));
        let proof = Proof {
            subject: Some(World::member(self.member)),
            rests_on: vec![Rest::on("sid", sid.as_str())],
            claims: [("sid".to_owned(), vec![sid])].into(),
            expires_at: Some(World::NOW.plus(Duration::from_secs(60))),
            on_expiry: OnExpiry::Reauth,
            ..Proof::default()
        };
        let verdict = if self.silent { Ok(()) } else { claimant.prove(self.name, World::NOW, proof) };
        Box::pin(std::future::ready(verdict))
    }
}

/// Somebody who came by a login and a word.
async fn admitted(world: &World, login: &Arc<Login>) -> Admission {
    let ladder = rungs(vec![
        doorward_auth::Rung::One(doorward_auth::Step::Conversation(Arc::clone(login) as _)),
        Word::named("word").rung(),
    ]);
    let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
    peer.play("< ask word: user sends word").await;
    peer.say(word("word", "right"));
    peer.play("< admitted member:bob").await.unwrap().admission.unwrap()
}

fn resume(world: &World, admission: &Admission, of: &'static str, by: Arc<dyn Layer>) -> Climb {
    let (trace, as_of) = (TraceId::from_bytes([9; 16]), Cursor(9));
    Climb::resume(admission, Resume { trace, again: vec![Again { of, by }], as_of, clock: world.clock.clone() })
}

async fn refused(mut climb: Climb) -> Refusal {
    loop {
        match climb.next().await {
            ClimbEvent::Refused(refusal) => return refusal,
            ClimbEvent::Say(_) => {}
            ClimbEvent::Admitted(admission) => unreachable!("{admission:?}"),
        }
    }
}

fn rests(admission: &Admission) -> Vec<String> {
    admission.rests_on().iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_proven_again_takes_the_place_of_what_was_and_the_rest_stands() {
    let world = World::new();
    let login = Arc::new(Login::of("session", "bob"));
    let before = admitted(&world, &login).await;
    assert_eq!(rests(&before), ["gate=fancy", "subject=member:bob", "sid=s1"]);
    let ClimbEvent::Admitted(after) = resume(&world, &before, "session", login).next().await else { panic!() };
    assert_eq!(rests(&after), ["gate=fancy", "subject=member:bob", "sid=s2"]);
    assert_eq!(after.evidence().iter().map(|evidence| evidence.layer).collect::<Vec<_>>(), ["session", "word"]);
    assert_eq!(after.claims()["sid"], ["s2"]);
    assert_eq!((after.as_of(), after.trace()), (Cursor(9), TraceId::from_bytes([9; 16])));
    assert_eq!((after.owner(), after.gate(), after.source()), (before.owner(), before.gate(), before.source()));
}

#[tokio::test(start_paused = true)]
async fn however_often_it_is_proven_again_each_claim_goes_with_the_proof_that_brought_it() {
    let world = World::new();
    let login = Arc::new(Login::of("session", "bob"));
    let mut admission = admitted(&world, &login).await;
    for sid in ["s2", "s3", "s4"] {
        let again = resume(&world, &admission, "session", Arc::clone(&login) as _).next().await;
        let ClimbEvent::Admitted(after) = again else { panic!() };
        assert_eq!(after.evidence().iter().map(|evidence| evidence.layer).collect::<Vec<_>>(), ["session", "word"]);
        assert_eq!(after.claims()["sid"], [sid]);
        admission = *after;
    }
    let mut peer = Peer::before(resume(&world, &admission, "word", Arc::new(Word::named("word"))));
    peer.play("< ask word: user sends word").await;
    peer.say(word("word", "right"));
    let after = peer.play("< admitted member:bob").await.unwrap().admission.unwrap();
    assert_eq!(after.claims()["sid"], ["s4"], "it was not the word that brought it");
}

#[tokio::test(start_paused = true)]
async fn a_step_more_is_asked_over_the_open_socket_and_added() {
    let world = World::new();
    let before = admitted(&world, &Arc::new(Login::of("session", "bob"))).await;
    let mut peer = Peer::before(resume(&world, &before, "more", Arc::new(Word::named("more"))));
    peer.play("< ask more: user sends word").await;
    peer.say(word("more", "right"));
    let after = peer.play("< admitted member:bob").await.unwrap().admission.unwrap();
    assert_eq!(after.evidence().len(), 3);
    assert_eq!(rests(&after), rests(&before));
}

#[tokio::test(start_paused = true)]
async fn nobody_becomes_somebody_else_by_being_asked_again() {
    let world = World::new();
    let before = admitted(&world, &Arc::new(Login::of("session", "bob"))).await;
    let eve = resume(&world, &before, "session", Arc::new(Login::of("session", "eve")));
    assert_eq!(refused(eve).await.step, "same subject as before");
    let nobody = resume(&world, &before, "session", Arc::new(Word::named("other")));
    nobody.answer(word("other", "right")).unwrap();
    assert_eq!(refused(nobody).await.step, "same subject as before");
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_passes_without_a_proof_renews_nothing() {
    let world = World::new();
    let before = admitted(&world, &Arc::new(Login::of("session", "bob"))).await;
    let silent = Arc::new(Login { silent: true, ..Login::of("word", "bob") });
    assert_eq!(refused(resume(&world, &before, "word", silent)).await.fault, Fault::Internal);
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_asked_again_where_all_of_it_may_be() {
    let world = World::new();
    let before = admitted(&world, &Arc::new(Login::of("session", "bob"))).await;
    assert_eq!(before.to_ask_again(World::NOW), None);
    let later = World::NOW.plus(Duration::from_secs(60));
    assert_eq!(before.expires_at(), Some(later));
    assert_eq!(before.to_ask_again(later), Some(vec!["session"]));
}
