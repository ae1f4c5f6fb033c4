//! The script at the head of a layer's file, and the steps that follow from it.
//!
//! A line of a script names who does something, to whom, and what: `//! user   -> socket    send token`. A step of it is what
//! the socket takes part in, put as a sentence: `user sends token`. What goes on between user, website and edge is written
//! down for the reader; the socket cannot record it.

/// The scripts in the head of a source file, in their order: each a run of lines without another line between.
pub fn scripts_of(source: &str) -> Vec<Vec<String>> {
    let mut scripts: Vec<Vec<String>> = Vec::new();
    let mut inside = false;
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        match step(line) {
            Some(step) => {
                if !inside {
                    scripts.push(Vec::new());
                }
                inside = true;
                if let (Some(step), Some(script)) = (step, scripts.last_mut()) {
                    script.push(step);
                }
            }
            None => inside = false,
        }
    }
    scripts
}

/// The steps of the first script in the head of a source file.
pub fn steps_of(source: &str) -> Vec<String> {
    scripts_of(source).into_iter().next().unwrap_or_default()
}

/// `None` where the line is none of a script; `Some(None)` where the socket takes no part in it.
fn step(line: &str) -> Option<Option<String>> {
    const ACTORS: [&str; 5] = ["user", "socket", "website", "edge", "phone"];
    let mut words = line.split_whitespace().peekable();
    let actor = words.next().filter(|actor| ACTORS.contains(actor))?;
    let mut takes_part = actor == "socket";
    if words.next_if_eq(&"->").is_some() {
        let to = words.next().filter(|actor| ACTORS.contains(actor))?;
        takes_part |= to == "socket";
    } else if !line.contains("  ") {
        return None;
    }
    let verb = words.next()?;
    let rest: Vec<&str> = words.collect();
    let sentence = format!("{actor} {verb}s {}", rest.join(" "));
    Some(takes_part.then(|| sentence.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "\
//! Key swap: the user trades a key for a secret.
//!
//! user   -> website   get key
//! user   -> socket    send key
//! socket -> user      show glyph
//! socket              require secret
//!
//! With `plain`, shorter:
//!
//! user   -> socket    send key
//! socket              require key

use std::fmt;
//! socket              not in the head
";

    #[test]
    fn a_step_is_what_the_socket_takes_part_in() {
        assert_eq!(steps_of(HEAD), ["user sends key", "socket shows glyph", "socket requires secret"]);
    }

    #[test]
    fn a_second_script_follows_after_other_lines() {
        let scripts = scripts_of(HEAD);
        assert_eq!(scripts.len(), 2);
        assert_eq!(scripts[1], ["user sends key", "socket requires key"]);
    }

    #[test]
    fn prose_that_begins_with_an_actor_is_no_script() {
        assert_eq!(scripts_of("//! socket and user talk.\n//! user writes\n"), Vec::<Vec<String>>::new());
    }
}
