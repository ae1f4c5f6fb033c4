//! Ending: from the start of the command that ends all sockets to the last peer that has heard of it.
//!
//! load    -> server    connect, climb                  once for each socket
//! command -> server    list the sockets                only with `--look`, before the clock starts
//! command -> server    end the sockets                 the clock starts with the command
//! server  -> load      Close 4410, to each             the figure: the last of them
//! server  -> command   receipt
//!
//! A raw baseline is ended by killing it; the kernel then closes its connections without a word.

use super::{
    PATIENCE,
    crowd::Crowd,
    peer::{Peer, Phase},
    raw,
};
use crate::{
    args::Load,
    child, clock,
    error::{Error, Result},
};
use serde_json::{Value, json};
use std::{
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
    time::{Duration, Instant},
};

/// The Close code of a socket that was ended by command (`docs/protocol.md`).
pub(super) const SESSION_ENDED: u16 = 4410;

/// The figure is the time in milliseconds until the last of `count` peers has heard that it is ended. A peer of Doorward that
/// hears anything else than the Close of an ending is an error.
pub(super) fn run(load: &Load, count: usize, look: &[String], command: &[String]) -> Result<Value> {
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(count, load.script(&raw(b"S"))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    let looked = if look.is_empty() { None } else { Some(all_listed(look, count)?) };
    crowd.turn(Duration::ZERO, |_, _, _| Ok(()))?;
    crowd.all_there()?;

    let begun = clock::now();
    let words = command.to_vec();
    let (last, receipt) = all_ended(&mut crowd, &beside(move || print(&words)))?;
    // Without a path it is a baseline, which has no Close to say.
    told(&crowd.peers, load.path.is_some().then_some(SESSION_ENDED))?;
    let since = |at: Instant| (at - begun).as_secs_f64() * 1e3;
    let said: Value = serde_json::from_slice(&receipt.text).unwrap_or_default();
    let within = if said.is_null() { None } else { Some(within_of(&said, count)?) };
    Ok(json!({
        "value": since(last),
        "receipt_ms": since(receipt.at),
        "ended": said["ended"],
        "within_ms": within,
        "list_ms": looked.map(|time| time.as_secs_f64() * 1e3),
    }))
}

/// Does something beside this thread; what came of it comes when it is done.
pub(super) fn beside<T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Receiver<Result<T>> {
    let (sender, done) = mpsc::channel();
    thread::spawn(move || sender.send(job()));
    done
}

/// Serves the peers until all have ended and what ends them is done: when the last of them had ended, and what came of it.
pub(super) fn all_ended<T>(crowd: &mut Crowd, done: &Receiver<Result<T>>) -> Result<(Instant, T)> {
    let count = crowd.peers.len();
    let (mut ended, mut came, mut last) = (0, None, None);
    crowd.until(PATIENCE, &format!("ending {count} sockets"), |crowd| {
        crowd.turn(Duration::from_millis(10), |_, _, _| Ok(()))?;
        // Looks at every peer once, whatever the order in which they end.
        ended += crowd.peers.iter().skip(ended).take_while(|peer| peer.phase == Phase::Ended).count();
        if ended == count && last.is_none() {
            last = Some(clock::now());
        }
        if came.is_none() {
            came = match done.try_recv() {
                Ok(done) => Some(done?),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return Err(Error::Usage("what ends the sockets was lost".into())),
            };
        }
        Ok(last.is_some() && came.is_some())
    })?;
    last.zip(came).ok_or_else(|| Error::Usage("there were no sockets to end".into()))
}

/// The receipt's own time in milliseconds; an error where it does not count all sockets.
pub(super) fn within_of(receipt: &Value, count: usize) -> Result<f64> {
    match (receipt["ended"].as_u64(), receipt["within_ms"].as_f64()) {
        (Some(ended), Some(within)) if ended == count as u64 => Ok(within),
        (ended, _) => Err(Error::Server(format!("says that it has ended {ended:?} sockets of {count}"))),
    }
}

/// What a command has printed, and when it was done.
struct Printed {
    text: Vec<u8>,
    at: Instant,
}

fn print(words: &[String]) -> Result<Printed> {
    let text = child::output(words)?;
    Ok(Printed { text, at: clock::now() })
}

/// How long a list of all `count` sockets takes, from the start of the command to its end.
fn all_listed(words: &[String], count: usize) -> Result<Duration> {
    let begun = clock::now();
    let printed = print(words)?;
    let list: Value = serde_json::from_slice(&printed.text).unwrap_or_default();
    match list["sockets"].as_array().map_or(0, Vec::len) {
        all if all == count => Ok(printed.at - begun),
        some => Err(Error::Server(format!("lists {some} sockets of {count}"))),
    }
}

/// An error if a peer has ended otherwise than with this Close code, or without one.
pub(super) fn told(peers: &[Peer], code: Option<u16>) -> Result<()> {
    match peers.iter().find(|peer| peer.close_code != code) {
        Some(other) => Err(Error::Server(format!("{} instead of ending it", other.epitaph()))),
        None => Ok(()),
    }
}
