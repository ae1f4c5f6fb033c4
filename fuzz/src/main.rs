//! `cargo run -p doorward-fuzz --release -- --seconds 60 [--seed N] [--target NAME] [--input HEX]`

use std::{
    hash::{BuildHasher as _, RandomState},
    io::{self, Write as _},
    process::ExitCode,
    time::{Duration, Instant},
};

use doorward_fuzz::{
    runner,
    targets::{self, Target},
};

struct Options {
    seconds: u64,
    seed: u64,
    targets: Vec<Target>,
    input: Option<Vec<u8>>,
}

fn main() -> ExitCode {
    let outcome = options(std::env::args().skip(1)).and_then(|options| run(&options));
    let (text, code) = match outcome {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(text) => (text, ExitCode::FAILURE),
    };
    // Nobody may be listening; the exit code tells all the same.
    let _ = writeln!(io::stdout(), "{text}");
    code
}

#[expect(clippy::disallowed_methods, reason = "the length of a run is wall-clock time; what it does is not")]
fn run(options: &Options) -> Result<String, String> {
    let Options { seconds, seed, targets, input } = options;
    if let Some(input) = input {
        return match targets.iter().try_for_each(|target| runner::try_one(target, *seed, input)) {
            Ok(()) => Ok("nothing panicked".into()),
            Err(failure) => Err(failure.to_string()),
        };
    }
    let end = Instant::now() + Duration::from_secs(*seconds);
    // The clock is read now and then only.
    match runner::run(targets, *seed, |rounds| rounds % 256 != 0 || Instant::now() < end) {
        Ok(counts) => Ok(format!("seed {seed}: {counts}, nothing panicked")),
        Err(failure) => Err(failure.to_string()),
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    // Any number that is another one each time.
    let seed = RandomState::new().hash_one(());
    let mut options = Options { seconds: 10, seed, targets: targets::ALL.to_vec(), input: None };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number = || value.parse().map_err(|_| format!("`{name}` needs a number, not `{value}`"));
        match &*name {
            "--seconds" => options.seconds = number()?,
            "--seed" => options.seed = number()?,
            "--target" => {
                options.targets.retain(|target| target.name == value);
                if options.targets.is_empty() {
                    let names: Vec<_> = targets::ALL.iter().map(|target| target.name).collect();
                    return Err(format!("no target is called `{value}`; there are {}", names.join(", ")));
                }
            }
            "--input" => options.input = Some(bytes(&value).ok_or("`--input` needs an even number of hex digits")?),
            _ => return Err(format!("`{name}` is no option; there are --seconds, --seed, --target and --input")),
        }
    }
    Ok(options)
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
