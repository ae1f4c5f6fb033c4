//! Comparisons of secrets, looked at as dudect does (Reparaz, Balasch, Verbauwhede, 2017): two classes of guesses in an order
//! that is drawn, each comparison timed by itself, and Welch's t over what is left when the slowest are cut off. Beyond 4.5 in
//! either direction the classes differ by more than chance: the comparison leaks.
//!
//! The first class is right to the last byte but one, the second is right nowhere. A comparison that stops at the first
//! difference takes longest for the first class. One that does so on purpose is among them, so that a machine on which nothing
//! can be seen is told apart from comparisons that show nothing.

use crate::{
    clock,
    error::{Error, Result, Trying},
    stats::{percentile, welch_t},
};
use aws_lc_rs::rand;
use doorward_auth::account::{TotpSeed, TotpStep};
use doorward_types::{Secret, Timestamp};
use std::{
    hint::black_box,
    io::{Write, stdout},
    process::ExitCode,
};

/// Beyond this t two classes differ.
const LEAKS: f64 = 4.5;

/// Of the times of both classes together, the share that is looked at: what is above was interrupted by something else. As in
/// the paper several cuts are tried, and the worst counts.
const CUTS: [f64; 4] = [0.5, 0.75, 0.9, 0.99];

/// How often one measurement compares: a comparison of 32 bytes is shorter than the clock's own step.
const AT_ONCE: u32 = 16;

/// A comparison, and what it is given: the class that is nearly right, and the class that is right nowhere.
struct Subject {
    name: &'static str,
    compare: Box<dyn Fn(&Secret) -> bool>,
    classes: [Secret; 2],
    leaks: bool,
}

/// Measures every comparison and prints its t. Success means that none leaks but the one that is meant to.
pub(crate) fn run(samples: u32) -> Result<ExitCode> {
    let mut out = stdout().lock();
    let mut as_expected = true;
    for subject in subjects()? {
        let t = leak(&subject, samples)?;
        let leaks = t.abs() >= LEAKS;
        as_expected &= leaks == subject.leaks;
        let meant = if subject.leaks { "meant to leak, so that leaks are seen" } else { "must not leak" };
        let verdict = if leaks { "leaks" } else { "shows nothing" };
        writeln!(out, "{:<34} t = {t:>9.2}   {verdict:<14} ({meant})", subject.name).trying("standard output")?;
    }
    Ok(if as_expected { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn subjects() -> Result<Vec<Subject>> {
    let key = random::<32>()?;
    let text = hex(&random::<32>()?);
    let mac = random::<32>()?;
    let now = Timestamp::from_secs(1_795_312_386);
    let seed = TotpSeed::from_secret(Secret::new(random::<20>()?))
        .ok_or_else(|| Error::Usage("20 bytes are no seed".into()))?;
    let code = seed.code(TotpStep::at(now)).reveal("to make guesses of it").to_vec();
    let compare_with = |secret: &[u8]| {
        let secret = Secret::new(secret);
        Box::new(move |guess: &Secret| secret.same_as(guess.reveal("it is compared"))) as Box<dyn Fn(&Secret) -> bool>
    };
    let early = key.to_vec();
    Ok(vec![
        Subject {
            name: "a comparison that stops early",
            compare: Box::new(move |guess| stops_early(&early, guess.reveal("it is compared"))),
            classes: classes(&key, 0xFF),
            leaks: true,
        },
        Subject { name: "key of 32 bytes", compare: compare_with(&key), classes: classes(&key, 0xFF), leaks: false },
        Subject {
            name: "text of a ticket or key",
            compare: compare_with(&text),
            classes: classes(&text, 0x01),
            leaks: false,
        },
        Subject {
            name: "HMAC-SHA-256 of a proof",
            compare: compare_with(&mac),
            classes: classes(&mac, 0xFF),
            leaks: false,
        },
        Subject {
            name: "code of an authenticator app",
            compare: Box::new(move |guess| seed.step_of(guess, now).is_some()),
            classes: classes(&code, 0x01),
            leaks: false,
        },
    ])
}

/// A guess that is right but for its last byte, and one of which each byte is wrong.
fn classes(right: &[u8], flip: u8) -> [Secret; 2] {
    let mut nearly = right.to_vec();
    if let Some(last) = nearly.last_mut() {
        *last ^= flip;
    }
    [Secret::new(nearly), Secret::new(right.iter().map(|byte| byte ^ flip).collect::<Vec<_>>())]
}

/// What none of ours may do.
fn stops_early(right: &[u8], guess: &[u8]) -> bool {
    right.len() == guess.len() && right.iter().zip(guess).all(|(right, guess)| black_box(right) == black_box(guess))
}

/// The t of the worst cut.
fn leak(subject: &Subject, samples: u32) -> Result<f64> {
    let [nearly, nowhere] = &subject.classes;
    let order = coins(samples)?;
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for (round, coin) in order.into_iter().enumerate() {
        // The class's own bytes lie where the other's did: only what is compared differs, not where it comes from.
        let guess = black_box(if coin { nearly.clone() } else { nowhere.clone() });
        let began = clock::now();
        for _ in 0..AT_ONCE {
            black_box((subject.compare)(black_box(&guess)));
        }
        let time = began.elapsed().as_nanos() as f64;
        if round >= 1000 {
            times[usize::from(coin)].push(time);
        }
    }
    let all: Vec<f64> = times.iter().flatten().copied().collect();
    let cuts = CUTS.iter().filter_map(|cut| percentile(&all, *cut));
    let t_of = |cut: f64| {
        let below = |times: &[f64]| times.iter().copied().filter(|time| *time <= cut).collect::<Vec<_>>();
        let [other, one] = &times;
        welch_t(&below(one), &below(other))
    };
    let worst = cuts.filter_map(t_of).max_by(|one, other| one.abs().total_cmp(&other.abs()));
    Ok(worst.unwrap_or_default())
}

fn coins(count: u32) -> Result<Vec<bool>> {
    let mut bytes = vec![0_u8; count as usize / 8 + 1];
    rand::fill(&mut bytes).map_err(|_| Error::Usage("there is no randomness".into()))?;
    let coin = |round: usize| bytes.get(round / 8).is_some_and(|byte| byte >> (round % 8) & 1 == 1);
    Ok((0..count as usize).map(coin).collect())
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::Usage("there is no randomness".into()))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}
