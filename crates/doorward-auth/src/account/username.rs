use std::fmt;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::fold::folded;

/// A name that an account can have.
///
/// It is kept as it is shown (NFKC, with its case) and in the form by which it is unique (NFKC and without case): `Bob` and
/// `bob` are one name, and so are `ﬁsh` and `fish`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username {
    shown: Box<str>,
    unique: Box<str>,
}

/// Why a text is no username. Each says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableUsername {
    /// There is nothing.
    #[error("the username is empty; give at least one character")]
    Empty,
    /// More than [`Username::LONGEST`] characters.
    #[error("the username is too long; give at most {} characters", Username::LONGEST)]
    TooLong,
    /// It has a slash, which separates names in paths.
    #[error("the username has a `/`; leave it out")]
    Slash,
    /// It is `.` or `..`.
    #[error("the username is `.` or `..`, which mean a folder in a path; add a letter")]
    Dots,
    /// Spaces at an end, or two in a row.
    #[error("the username has a space at its beginning or end, or two in a row; take the space out")]
    Space,
    /// It begins with a mark that belongs onto a character before it.
    #[error("the username begins with an accent that belongs onto another character; begin with the character")]
    Mark,
    /// A character that does not show, or changes how others show: controls, zero width, direction.
    #[error("the username has the character {0}, which does not show; leave it out")]
    Invisible(CodePoint),
    /// A character that Unicode gives no meaning to.
    #[error("the username has the character {0}, which means nothing to everybody; leave it out")]
    Meaningless(CodePoint),
    /// Letters of two alphabets that share their looks: `аdmin` with a Cyrillic `а` is not `admin`.
    #[error("the username has letters of two alphabets, {0} and {1}, that look alike; write it in one of them")]
    TwoAlphabets(Alphabet, Alphabet),
}

/// Alphabets with letters that look like those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alphabet {
    /// That of this line.
    Latin,
    /// Of `Άννα`.
    Greek,
    /// Of `Анна`.
    Cyrillic,
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Alphabet {
    /// Whose letter that is, by the blocks of Unicode, each of which is one alphabet's alone.
    fn of(c: char) -> Option<Self> {
        if !c.is_alphabetic() {
            return None;
        }
        match c {
            'A'..='Z'
            | 'a'..='z'
            | '\u{C0}'..='\u{2AF}'
            | '\u{1E00}'..='\u{1EFF}'
            | '\u{2C60}'..='\u{2C7F}'
            | '\u{A720}'..='\u{A7FF}'
            | '\u{AB30}'..='\u{AB64}' => Some(Self::Latin),
            '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Some(Self::Greek),
            '\u{400}'..='\u{52F}' | '\u{1C80}'..='\u{1C8F}' | '\u{2DE0}'..='\u{2DFF}' | '\u{A640}'..='\u{A69F}' => {
                Some(Self::Cyrillic)
            }
            _ => None,
        }
    }
}

/// A character, written so that it can be seen: `U+200B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePoint(pub char);

impl fmt::Display for CodePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

impl Username {
    /// How many characters a name has at most, counted in the longer of its two forms. A mailbox's name has 64 (RFC 5321), so
    /// whatever people call themselves elsewhere fits, and a line of a page or a log holds it.
    pub const LONGEST: usize = 64;
    /// How many bytes are looked at: normalisation costs time, and no name needs more.
    const LOOKED_AT: usize = 16 * Self::LONGEST;

    /// Reads a name as a person typed it.
    ///
    /// The rules hold for what comes out of normalisation: `℀` has a slash in it, and `\u{FDFA}` is eighteen characters.
    pub fn parse(text: &str) -> Result<Self, UnusableUsername> {
        if text.len() > Self::LOOKED_AT {
            return Err(UnusableUsername::TooLong);
        }
        let shown: String = text.nfkc().collect();
        let unique = folded(&shown);
        for form in [&shown, &unique] {
            check(form)?;
        }
        Ok(Self { shown: shown.into(), unique: unique.into() })
    }

    /// As it is shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// As it is unique, and looked up by.
    pub fn unique(&self) -> &str {
        &self.unique
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn check(name: &str) -> Result<(), UnusableUsername> {
    match name {
        "" => return Err(UnusableUsername::Empty),
        "." | ".." => return Err(UnusableUsername::Dots),
        _ if name.chars().count() > Username::LONGEST => return Err(UnusableUsername::TooLong),
        _ => {}
    }
    name.chars().try_for_each(|c| match c {
        '/' => Err(UnusableUsername::Slash),
        c if is_invisible(c) => Err(UnusableUsername::Invisible(CodePoint(c))),
        c if is_meaningless(c) => Err(UnusableUsername::Meaningless(CodePoint(c))),
        _ => Ok(()),
    })?;
    if name.trim() != name || name.contains("  ") {
        return Err(UnusableUsername::Space);
    }
    if name.starts_with(is_combining_mark) {
        return Err(UnusableUsername::Mark);
    }
    let mut alphabets = name.chars().filter_map(Alphabet::of);
    let first = alphabets.next();
    match (first, alphabets.find(|other| first != Some(*other))) {
        (Some(one), Some(other)) => Err(UnusableUsername::TwoAlphabets(one.min(other), one.max(other))),
        _ => Ok(()),
    }
}

/// Controls, format characters (zero width, direction, tags), separators other than the space, and what Unicode calls
/// `Default_Ignorable_Code_Point` among letters and marks; the blank of Braille looks like a space and is none.
fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, SpaceSeparator};
    let ignorable = matches!(
        c,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}'
    );
    ignorable
        || match c.general_category() {
            Control | Format | LineSeparator | ParagraphSeparator => true,
            SpaceSeparator => c != ' ',
            _ => false,
        }
}

/// Not assigned, so that a later Unicode may fold it otherwise; or for private use, so that it shows differently to each.
fn is_meaningless(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Unassigned | GeneralCategory::PrivateUse | GeneralCategory::Surrogate
    ) || c == '\u{FFFD}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> UnusableUsername {
        Username::parse(text).expect_err(text)
    }

    #[test]
    fn names_of_people_everywhere_are_names() {
        for name in
            ["bob", "Bob Smith", "o'brien", "élodie", "Άννα", "李雷", "محمد", "김철수", "x.y-z_1", "a@b.example", "🦀"]
        {
            assert_eq!(Username::parse(name).unwrap().shown(), name);
        }
    }

    #[test]
    fn case_and_form_do_not_make_another_name() {
        for (one, other) in [("Bob", "bOB"), ("Straße", "STRASSE"), ("ｂｏｂ", "bob"), ("e\u{301}lodie", "ÉLODIE")]
        {
            assert_eq!(
                Username::parse(one).unwrap().unique(),
                Username::parse(other).unwrap().unique(),
                "{one} {other}"
            );
        }
        assert_ne!(Username::parse("bob").unwrap().unique(), Username::parse("rob").unwrap().unique());
    }

    #[test]
    fn a_name_is_read_once_and_for_all() {
        let name = Username::parse("ＳtraẞE").unwrap();
        assert_eq!((name.shown(), name.unique()), ("StraẞE", "strasse"));
        let again = Username::parse(name.unique()).unwrap();
        assert_eq!((again.shown(), again.unique()), ("strasse", "strasse"));
    }

    #[test]
    fn a_name_that_could_lead_through_a_path_is_none() {
        for text in ["a/b", "/", "../x", "℀", "a／b"] {
            assert_eq!(refused(text), UnusableUsername::Slash, "{text}");
        }
        for text in [".", "..", "․", "‥"] {
            assert_eq!(refused(text), UnusableUsername::Dots, "{text}");
        }
        assert!(Username::parse("...").is_ok());
    }

    #[test]
    fn what_does_not_show_is_in_no_name() {
        for text in [
            "bo\0b",
            "bob\n",
            "\tbob",
            "bo\u{7F}b",
            "bo\u{85}b",
            "bo\u{200B}b",
            "bob\u{200D}",
            "\u{202E}bob",
            "bo\u{2066}b",
            "bo\u{FEFF}b",
            "bo\u{AD}b",
            "bo\u{34F}b",
            "bo\u{FE0F}b",
            "bo\u{3164}b",
            "bo\u{E0062}b",
            "bo\u{2028}b",
            "bo\u{2800}b",
        ] {
            assert!(matches!(refused(text), UnusableUsername::Invisible(_)), "{}", text.escape_unicode());
        }
        assert_eq!(
            refused("bo\u{200B}b").to_string(),
            "the username has the character U+200B, which does not show; leave it out"
        );
        for text in ["bo\u{E000}b", "bo\u{378}b", "bo\u{FFFD}b"] {
            assert!(matches!(refused(text), UnusableUsername::Meaningless(_)), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn a_name_of_two_alphabets_that_look_alike_is_none() {
        use Alphabet::{Cyrillic, Greek, Latin};
        for (text, one, other) in [
            ("\u{430}dmin", Latin, Cyrillic),
            ("admi\u{43D}", Latin, Cyrillic),
            ("b\u{3BF}b", Latin, Greek),
            ("\u{410}dmin", Latin, Cyrillic),
            ("\u{3B1}\u{432}\u{3B1}", Greek, Cyrillic),
            ("bob \u{421}mith", Latin, Cyrillic),
        ] {
            assert_eq!(refused(text), UnusableUsername::TwoAlphabets(one, other), "{text}");
        }
        assert_eq!(
            refused("\u{430}dmin").to_string(),
            "the username has letters of two alphabets, Latin and Cyrillic, that look alike; write it in one of them"
        );
        for name in ["Анна-7", "Άννα 7", "Łukasz", "李雷 bob", "김 Kim", "ñandú", "Ẽva 🦀", "ОЛЯ 2"]
        {
            assert!(Username::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_space_stands_alone_between_words() {
        assert!(Username::parse("bob\u{A0}smith").is_ok_and(|name| name.shown() == "bob smith"));
        for text in [" bob", "bob ", "bob  smith", "\u{3000}bob", " "] {
            assert_eq!(refused(text), UnusableUsername::Space, "{text:?}");
        }
        assert_eq!(refused("\u{301}bob"), UnusableUsername::Mark);
    }

    #[test]
    fn a_name_has_one_to_sixty_four_characters() {
        assert_eq!(refused(""), UnusableUsername::Empty);
        assert!(Username::parse(&"ä".repeat(64)).is_ok());
        for text in ["a".repeat(65), "ß".repeat(33), "\u{FDFA}".repeat(4), "a".repeat(1_000_000)] {
            assert_eq!(refused(&text), UnusableUsername::TooLong);
        }
        assert!(refused(&"a".repeat(65)).to_string().contains("at most 64"));
    }
}
