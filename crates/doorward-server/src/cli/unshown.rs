use std::os::fd::AsFd;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// A terminal that does not show what is typed, until this is dropped. What is typed is read as before.
pub(super) struct Unshown<T: AsFd> {
    terminal: T,
    before: Termios,
}

impl<T: AsFd> Unshown<T> {
    /// `None` where it is no terminal: then nothing is shown anyway.
    pub(super) fn at(terminal: T) -> Option<Self> {
        let before = tcgetattr(&terminal).ok()?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        // The end of the line is not secret, and what is said next begins on a line of its own.
        modes.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Now, &modes).ok()?;
        Some(Self { terminal, before })
    }
}

impl<T: AsFd> Drop for Unshown<T> {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to show.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{File, OpenOptions},
        io::{Read as _, Write as _},
    };

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A terminal: the side of the person, and the side of the program.
    fn terminal() -> (File, File) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let program = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        (person.into(), program)
    }

    /// What the person sees of a line that they type and the program reads, and of the answer to it.
    fn seen(person: &mut File, program: &mut File) -> String {
        person.write_all(b"hunter22\n").unwrap();
        let mut line = [0; 9];
        program.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"hunter22\n");
        program.write_all(b"thanks").unwrap();
        let mut seen = String::new();
        while !seen.contains("thanks") {
            let mut some = [0; 64];
            let many = person.read(&mut some).unwrap();
            seen.push_str(&String::from_utf8_lossy(&some[..many]));
        }
        seen
    }

    #[test]
    fn a_terminal_shows_the_end_of_the_line_alone_and_everything_when_it_is_over() {
        let (mut person, mut program) = terminal();
        let unshown = Unshown::at(program.try_clone().unwrap()).unwrap();
        assert_eq!(seen(&mut person, &mut program), "\r\nthanks");
        drop(unshown);
        assert_eq!(seen(&mut person, &mut program), "hunter22\r\nthanks");
    }

    #[test]
    fn what_is_no_terminal_is_left_as_it_is() {
        assert!(Unshown::at(tempfile::tempfile().unwrap()).is_none());
    }
}
