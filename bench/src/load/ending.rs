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
const SESSION_ENDED: u16 = 4410;

/// The figure is the time in milliseconds until the last of `count` peers has heard that it is ended. A peer of Doorward that
/// hears anything else than the Close of an ending is an error.
pub(super) fn run(load: &Load, count: usize, look: &[String], command: &[String]) -> Result<Value> {
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(count, load.script(&raw(b"S"))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    let looked = if look.is_empty() { None } else { Some(all_listed(look, count)?) };
    crowd.turn(Duration::ZERO, |_, _, _| Ok(()))?;
    crowd.all_there()?;

    let begun = clock::now();
    let printed = start(command);
    let (mut ended, mut receipt, mut last) = (0, None, None);
    crowd.until(PATIENCE, &format!("ending {count} sockets"), |crowd| {
        crowd.turn(Duration::from_millis(10), |_, _, _| Ok(()))?;
        // Looks at every peer once, whatever the order in which they end.
        ended += crowd.peers.iter().skip(ended).take_while(|peer| peer.phase == Phase::Ended).count();
        if ended == count && last.is_none() {
            last = Some(clock::now());
        }
        if receipt.is_none() {
            receipt = arrived(&printed)?;
        }
        Ok(last.is_some() && receipt.is_some())
    })?;
    // Without a path it is a baseline, which has no Close to say.
    told(&crowd.peers, load.path.is_some().then_some(SESSION_ENDED))?;
    let since = |at: Option<Instant>| at.map(|at| (at - begun).as_secs_f64() * 1e3);
    let text = receipt.as_ref().map(|receipt| receipt.text.as_slice()).unwrap_or_default();
    let said: Value = serde_json::from_slice(text).unwrap_or_default();
    if let Some(other) = said["ended"].as_u64().filter(|ended| *ended != count as u64) {
        return Err(Error::Server(format!("says that it has ended {other} sockets of {count}")));
    }
    Ok(json!({
        "value": since(last),
        "receipt_ms": since(receipt.map(|receipt| receipt.at)),
        "ended": said["ended"],
        "within_ms": said["within_ms"],
        "list_ms": looked.map(|time| time.as_secs_f64() * 1e3),
    }))
}

/// What a command has printed, and when it was done.
struct Printed {
    text: Vec<u8>,
    at: Instant,
}

/// Runs a command beside this thread; what it has printed comes when it is done.
fn start(words: &[String]) -> Receiver<Result<Printed>> {
    let (sender, printed) = mpsc::channel();
    let words = words.to_vec();
    thread::spawn(move || sender.send(print(&words)));
    printed
}

fn print(words: &[String]) -> Result<Printed> {
    let text = child::output(words)?;
    Ok(Printed { text, at: clock::now() })
}

fn arrived(printed: &Receiver<Result<Printed>>) -> Result<Option<Printed>> {
    match printed.try_recv() {
        Ok(printed) => printed.map(Some),
        Err(TryRecvError::Empty) => Ok(None),
        Err(TryRecvError::Disconnected) => Err(Error::Usage("the command was lost".into())),
    }
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
fn told(peers: &[Peer], code: Option<u16>) -> Result<()> {
    match peers.iter().find(|peer| peer.close_code != code) {
        Some(other) => Err(Error::Server(format!("{} instead of ending it", other.epitaph()))),
        None => Ok(()),
    }
}
