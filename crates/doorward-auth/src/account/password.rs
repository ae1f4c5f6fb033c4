use doorward_types::Secret;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{Username, fold::folded};

/// See the head of the file for where it comes from.
const COMMON: &str = include_str!("common_passwords.txt");

/// Rows of a keyboard: a finger that runs along one makes a password that is tried early.
const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// A password as it was typed, normalised once (NFC) and never cut: what is hashed and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password(Secret);

/// A password that keeps the rules, so that an account may have it. Only [`PasswordRules::check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword(Password);

/// What was typed is longer than [`Password::LONGEST`], or is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has at most {} bytes of UTF-8; leave some of it out", Password::LONGEST)]
pub struct TooLong;

/// What a login asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordUse {
    /// Nothing but the password.
    Alone,
    /// A second factor too.
    WithSecondFactor,
}

impl PasswordUse {
    /// How many characters a password has at least (NIST SP 800-63B, 3.1.1.2).
    pub const fn least(self) -> usize {
        match self {
            Self::Alone => 15,
            Self::WithSecondFactor => 8,
        }
    }
}

/// Why an account cannot have a password. Each says what would be right, and none repeats the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakPassword {
    /// Too few characters.
    #[error(
        "it has {has} characters and needs {least}; a few words that have nothing to do with each other are long and easy to keep"
    )]
    TooShort {
        /// How many it has.
        has: usize,
        /// How many it needs.
        least: usize,
    },
    /// It is on the list, or is so without the digits around it.
    #[error(
        "it is one of the most common passwords, or one with something around it, and is tried first; take words that nobody else would put together"
    )]
    Common,
    /// It is little more than what everybody knows of the account.
    #[error(
        "it is little more than {0}, which is tried early; take words that have nothing to do with this place or with you"
    )]
    Context(&'static str),
    /// One piece again and again.
    #[error("it is one piece again and again, which is no longer than the piece; add something else")]
    Repeated,
    /// Runs along the alphabet, the digits or a keyboard.
    #[error("it runs along the alphabet, the digits or the keyboard, which is tried early; take words instead")]
    Sequence,
}

impl Password {
    /// How many bytes a password has at most, as it was typed. Longer ones are refused, not cut, and before any work.
    pub const LONGEST: usize = 1024;

    /// Reads what was typed.
    pub fn read(typed: &Secret) -> Result<Self, TooLong> {
        if typed.len() > Self::LONGEST {
            return Err(TooLong);
        }
        let text = typed.reveal_text("to normalise it").ok_or(TooLong)?;
        // Room for the worst case (UAX 15): a text that grows leaves copies of itself behind.
        let mut normal = Zeroizing::new(String::with_capacity(3 * text.len()));
        normal.extend(text.nfc());
        Ok(Self(Secret::new(normal.as_bytes())))
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }
}

impl NewPassword {
    /// The password.
    pub fn password(&self) -> &Password {
        &self.0
    }
}

/// What a password must be, at one site.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    /// Words that everybody there knows, folded, and what each of them is.
    context: Vec<(String, &'static str)>,
}

impl PasswordRules {
    /// The rules at a site of that name, at those hosts.
    pub fn of_site<'a>(name: &str, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut context = vec![("doorward".to_owned(), "the name of the server")];
        context.extend(words_of(name).map(|word| (word, "the name of this site")));
        context.extend(hosts.into_iter().flat_map(words_of).map(|word| (word, "the address of this site")));
        Self { context }
    }

    /// Whether the account of that name may have the password, where it is used so.
    ///
    /// # Errors
    /// The first rule that it breaks. What stands in `typed` itself is never a part of the error.
    pub fn check(&self, typed: Password, username: &Username, used: PasswordUse) -> Result<NewPassword, WeakPassword> {
        let text = typed.0.reveal_text("to see how it is made").unwrap_or_default();
        let (has, least) = (text.chars().count(), used.least());
        if has < least {
            return Err(WeakPassword::TooShort { has, least });
        }
        let plain = Zeroizing::new(folded(text));
        let unmasked = Zeroizing::new(unmasked(&plain));
        is_not_common(&plain, least)?;
        for form in [&plain, &unmasked] {
            self.is_not_context(form, username, least)?;
        }
        is_not_repeated(&plain, least)?;
        is_no_sequence(&plain)?;
        Ok(NewPassword(typed))
    }

    /// What everybody knows taken away, there has to be more than half a password left.
    fn is_not_context(&self, form: &str, username: &Username, least: usize) -> Result<(), WeakPassword> {
        let of_user = words_of(username.unique()).map(|word| (word, "your username"));
        let mut words: Vec<_> = self.context.iter().cloned().chain(of_user).collect();
        // The longest first: `shop` in `shop.example` would leave a piece of it.
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        let mut left = Zeroizing::new(form.to_owned());
        let mut found = None;
        for (word, what) in &words {
            if left.contains(word.as_str()) {
                found = found.or(Some(*what));
                // A mark stays, so that what stood around does not become a word.
                left = Zeroizing::new(left.replace(word.as_str(), " "));
            }
        }
        match found {
            Some(what) if worth(&left) <= least.div_ceil(2) => Err(WeakPassword::Context(what)),
            _ => Ok(()),
        }
    }
}

/// On the list, or so without its mask, or with no more than half a password of digits and marks around it.
fn is_not_common(plain: &str, least: usize) -> Result<(), WeakPassword> {
    let bare = |text: &str| Zeroizing::new(text.trim_matches(|c: char| !c.is_alphabetic()).to_owned());
    let (core, unmasked) = (bare(plain), Zeroizing::new(unmasked(plain)));
    let mut forms = vec![Zeroizing::new(plain.to_owned()), unmasked.clone()];
    let around = plain.split_once(core.as_str()).map_or(0, |(before, after)| worth(before) + worth(after));
    if around <= least.div_ceil(2) {
        forms.extend([Zeroizing::new(self::unmasked(&core)), bare(&unmasked), core]);
    }
    if common().any(|word| forms.iter().any(|form| **form == word)) { Err(WeakPassword::Common) } else { Ok(()) }
}

/// A piece that is repeated counts once.
fn is_not_repeated(plain: &str, least: usize) -> Result<(), WeakPassword> {
    let chars = Zeroizing::new(plain.chars().collect::<Vec<_>>());
    let repeats = |piece: usize| chars.iter().zip(chars.iter().skip(piece)).all(|(one, next)| one == next);
    match (1..=chars.len() / 2).find(|piece| repeats(*piece)) {
        Some(piece) if piece < least => Err(WeakPassword::Repeated),
        _ => Ok(()),
    }
}

/// Three runs and fewer are no password, however long they are.
fn is_no_sequence(plain: &str) -> Result<(), WeakPassword> {
    let breaks = plain.chars().zip(plain.chars().skip(1)).filter(|(one, next)| !follows(*one, *next)).count();
    if breaks < 3 { Err(WeakPassword::Sequence) } else { Ok(()) }
}

/// Whether one character is the next of the other in the alphabet, the digits or a row of the keyboard, either way, or the same.
fn follows(one: char, next: char) -> bool {
    let along = |row: &str| row.find(one).zip(row.find(next)).is_some_and(|(a, b)| a.abs_diff(b) == 1);
    u32::from(one).abs_diff(next.into()) <= 1 || ROWS.iter().any(|row| along(row))
}

/// The list, without its head.
fn common() -> impl Iterator<Item = &'static str> {
    COMMON.lines().skip_while(|line| line.starts_with('#')).filter(|line| !line.is_empty())
}

/// A text and its parts, folded; parts of one or two characters are in everything.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    let text = folded(text);
    let parts: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    let joined = parts.concat();
    parts.into_iter().chain([joined, text]).filter(|word| word.chars().count() >= 3)
}

/// Without the masks that everybody knows: `p@ssw0rd` is `password`.
fn unmasked(plain: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        c => c,
    };
    plain.chars().map(letter).collect()
}

/// How many letters and digits there are, where a run as `1234567890` is two: its beginning, and that it goes on.
fn worth(text: &str) -> usize {
    let mut before = [None; 2];
    let mut worth = 0;
    for c in text.chars() {
        let goes_on = matches!(before, [Some(one), Some(two)] if follows(one, two) && follows(two, c));
        worth += usize::from(c.is_alphanumeric() && !goes_on);
        before = [before[1], Some(c)];
    }
    worth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Password {
        Password::read(&Secret::from_text(text)).unwrap()
    }

    fn check(text: &str, used: PasswordUse) -> Result<NewPassword, WeakPassword> {
        let rules = PasswordRules::of_site("Bob's Shop", ["shop.example.org"]);
        rules.check(read(text), &Username::parse("Robert.Tables").unwrap(), used)
    }

    fn alone(text: &str) -> Result<NewPassword, WeakPassword> {
        check(text, PasswordUse::Alone)
    }

    fn second(text: &str) -> Result<NewPassword, WeakPassword> {
        check(text, PasswordUse::WithSecondFactor)
    }

    #[test]
    fn a_password_alone_has_fifteen_characters_and_with_another_factor_eight() {
        assert!(alone("gl1mmer-vat-owl").is_ok());
        let weak = alone("gl1mmer-vat-ow").unwrap_err();
        assert_eq!(weak, WeakPassword::TooShort { has: 14, least: 15 });
        assert!(weak.to_string().starts_with("it has 14 characters and needs 15"));
        assert!(second("gl1mmer-").is_ok());
        assert_eq!(second("gl1mmer").unwrap_err(), WeakPassword::TooShort { has: 7, least: 8 });
    }

    #[test]
    fn c44_characters_are_counted_and_not_bytes() {
        assert!(alone("ähre öl übung ß").is_ok());
        assert!(matches!(alone("äöüßäöüß"), Err(WeakPassword::TooShort { has: 8, .. })));
        assert!(alone("馬 電池 正しい ホチキス です").is_ok());
        let sixty_four: String = "gr🦀p véto ".chars().cycle().take(63).chain(['!']).collect();
        assert!(alone(&sixty_four).is_ok());
    }

    #[test]
    fn two_ways_to_write_a_character_are_one_password_and_case_is_not() {
        assert!(read("e\u{301}lan vital").0.same_as("élan vital".as_bytes()));
        assert!(!read("Elan").0.same_as(b"elan"));
        assert!(!read("ﬁ").0.same_as(b"fi"), "NFC alone: what looks the same may be typed to be different");
        assert!(read("  spaces stay  ").0.same_as(b"  spaces stay  "));
    }

    #[test]
    fn c44_a_kilobyte_is_taken_whole_and_a_byte_more_is_refused() {
        let long = |bytes: usize| Secret::from_text("x".repeat(bytes));
        assert_eq!(Password::read(&long(1024)).unwrap().0.len(), 1024);
        assert_eq!(Password::read(&long(1025)).unwrap_err(), TooLong);
        assert_eq!(Password::read(&long(1_000_000)).unwrap_err(), TooLong);
        assert_eq!(Password::read(&Secret::new([0xFF, 0xFE])).unwrap_err(), TooLong);
        // A form that grows in NFC is still taken whole.
        assert_eq!(Password::read(&Secret::from_text("\u{1D15E}".repeat(256))).unwrap().0.len(), 2048);
    }

    #[test]
    fn c44_none_of_the_most_common_passwords_is_taken() {
        let words: Vec<_> = common().collect();
        assert!(words.len() >= 3000, "{}", words.len());
        assert!(words.windows(2).all(|pair| pair[0] < pair[1]), "sorted, without doubles");
        assert!(
            words.iter().all(|word| word.len() >= 8 && folded(word) == *word),
            "long enough to be taken, and folded"
        );
        // All are looked up in the same way: some of them stand for the rest.
        for word in words.into_iter().step_by(41) {
            assert!(second(word).is_err(), "{word}");
            assert!(second(&word.to_uppercase()).is_err(), "{word}");
        }
    }

    #[test]
    fn c44_a_common_password_with_something_around_it_is_not_taken() {
        for text in [
            "password12345678",
            "password1234567890",
            "0987654321password1234567890",
            "!!Password2026!!",
            "P@ssw0rd1234567",
            "baseball - 2026",
            "1234567BASEBALL",
            "qazwsxedcrfvtgb",
        ] {
            assert_eq!(alone(text).err(), Some(WeakPassword::Common), "{text}");
        }
        assert_eq!(second("passw0rd!").unwrap_err(), WeakPassword::Common);
        assert!(alone("baseball and a grey teapot").is_ok());
        assert!(alone("baseball 7391048256").is_ok(), "ten digits in no order are enough beside it");
    }

    #[test]
    fn c44_what_everybody_knows_of_the_account_is_not_taken() {
        for (text, what) in [
            ("robert.tables15", "your username"),
            ("tables1234567890", "your username"),
            ("qwertyuioptables", "your username"),
            ("RobertTables-2026", "your username"),
            ("r0bert+t4bles!!", "your username"),
            ("tables tables 7", "your username"),
            ("Bob's Shop rules", "the name of this site"),
            ("shop.example.org", "the address of this site"),
            ("doorward doorward", "the name of the server"),
            ("D00rward-D00rward", "the name of the server"),
        ] {
            assert_eq!(alone(text).unwrap_err(), WeakPassword::Context(what), "{text}");
        }
        assert_eq!(second("doorward").unwrap_err(), WeakPassword::Context("the name of the server"));
        assert!(alone("robert eats a plum daily").is_ok(), "there is enough beside the name");
    }

    #[test]
    fn what_repeats_or_runs_counts_as_short_as_it_is() {
        for text in ["aaaaaaaaaaaaaaaa", "xkcdxkcdxkcdxkcd", "k3k3k3k3k3k3k3k3k", "vetovetovetoveto"] {
            assert_eq!(alone(text).unwrap_err(), WeakPassword::Repeated, "{text}");
        }
        for text in ["abcdefghijklmnop", "0123456789012345", "qwertyuiopasdfgh", "zyxwvutsrqponml", "aaaabbbbccccdddd"]
        {
            assert_eq!(alone(text).unwrap_err(), WeakPassword::Sequence, "{text}");
        }
    }

    #[test]
    fn no_error_repeats_the_password() {
        for text in ["password", "aaaaaaaaaaaaaaaa", "robert.tables15", "abcdefghijklmnop"] {
            let weak = alone(text).unwrap_err();
            assert!(!format!("{weak} {weak:?}").contains(text), "{weak:?}");
        }
        assert_eq!(format!("{:?}", read("open sesame")), "Password(****)");
    }
}
