use std::fmt;

/// An id in text did not have the form that its kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableId {
    /// What was expected, as a phrase: `a trace id of 32 hexadecimal digits`.
    pub expected: &'static str,
}

impl fmt::Display for UnreadableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for UnreadableId {}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<std::sync::Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// Who runs a gate: a tenant. Every gate, key, ticket and record belongs to one, and nothing crosses.
    OwnerId
}
text_id! {
    /// The name of a gate, unique with its owner.
    GateName
}
text_id! {
    /// The public id of an app key: the first 16 bytes of the SHA-256 of its public half, in lowercase hex.
    KeyId
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// From 16 bytes of a random source.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnreadableId;

            fn from_str(text: &str) -> Result<Self, UnreadableId> {
                let unreadable = UnreadableId { expected: $expected };
                let digits = text.as_bytes();
                if digits.len() != 32 || digits.iter().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
                    return Err(unreadable);
                }
                u128::from_str_radix(text, 16).map(|id| Self(id.to_be_bytes())).map_err(|_| unreadable)
            }
        }
    };
}

random_id! {
    /// One live connection, from its first byte on. Public: knowing it opens nothing.
    SocketId, "a socket id of 32 hexadecimal digits"
}
random_id! {
    /// One decision of a ladder, in the form of a W3C trace id (32 lowercase hex digits).
    TraceId, "a trace id of 32 hexadecimal digits"
}
random_id! {
    /// One login at a site. Public: it is what proofs rest on (`sid=...`), and opens nothing.
    SessionId, "a session id of 32 hexadecimal digits"
}

/// The number of an account of the built-in site, unique among all owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

impl AccountId {
    /// The kind of the subjects that accounts are.
    pub const KIND: &'static str = "member";

    /// The account as a subject: whom it proves. `username` is the name that is shown.
    pub fn subject(self, username: impl Into<String>) -> Subject {
        Subject { kind: Self::KIND.to_owned(), pk: self.to_string(), uuid: username.into() }
    }

    /// The account that a subject is; `None` for a subject of another kind, and for a number that is written in another way than
    /// [`subject`](Self::subject) writes it: `member:007` is another subject than `member:7`, so that it is no account.
    pub fn of(subject: &Subject) -> Option<Self> {
        (subject.kind == Self::KIND).then(|| subject.pk.parse().ok()).flatten()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for AccountId {
    type Err = UnreadableId;

    /// Reads what [`Display`](fmt::Display) writes, and no other way to write the same number.
    fn from_str(text: &str) -> Result<Self, UnreadableId> {
        let number = text.parse().ok().map(Self).filter(|number| number.to_string() == text);
        number.ok_or(UnreadableId { expected: "the number of an account" })
    }
}

/// A position in the revocation log; 0 is before its first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(pub u64);

/// Who was proven: a person or a machine, in the words of the site that knows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What sort of record it is: `member`, `terminal`, `key` ...
    pub kind: String,
    /// Its primary key within the kind.
    pub pk: String,
    /// The name that is shown, and by which the subject's own channel goes (a username, a device id).
    pub uuid: String,
}

/// Whether a text that came from outside may be a name in an id: 1 to 255 bytes, and nothing that would break a line of a log.
pub fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl Subject {
    /// A subject whose parts came from outside.
    ///
    /// # Errors
    /// A part is no [name](is_name); or the kind has a `:` in it, so that the text of one subject would be that of another.
    pub fn read(kind: &str, pk: &str, uuid: &str) -> Result<Self, UnreadableId> {
        let expected =
            "a subject as `kind:pk`, such as `member:7`, each part with 1 to 255 bytes and no control characters";
        let is_subject = [kind, pk, uuid].into_iter().all(is_name) && !kind.contains(':');
        let subject = || Self { kind: kind.to_owned(), pk: pk.to_owned(), uuid: uuid.to_owned() };
        is_subject.then(subject).ok_or(UnreadableId { expected })
    }

    /// What every proof of it rests on.
    pub fn rest(&self) -> Rest {
        Rest::on("subject", self.to_string())
    }

    /// Whether it is the same record: by kind and primary key. The name that is shown may differ from one proof to the next.
    pub fn same_as(&self, other: &Self) -> bool {
        self.kind == other.kind && self.pk == other.pk
    }
}

impl std::str::FromStr for Subject {
    type Err = UnreadableId;

    /// Reads `kind:pk`. A bare name is none: nobody has to guess which kind it got. The name that is shown is the primary key.
    fn from_str(text: &str) -> Result<Self, UnreadableId> {
        let (kind, pk) = text.split_once(':').unwrap_or_default();
        Self::read(kind, pk, pk)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.pk)
    }
}

/// Something that a proof rests on. When it ends, every socket whose admission rests on it ends.
///
/// The kind is a word chosen by the layer that proves (`subject`, `sid`, `jti`, `key`, `ticket`, `gate` ...): there is no fixed list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rest {
    /// The sort of thing: `subject`, `sid`, `jti`, `key`, `gate` ...
    pub kind: std::borrow::Cow<'static, str>,
    /// Which one, in the form that its kind is written in.
    pub value: Box<str>,
}

impl Rest {
    /// The kinds that the layers of this project rest on. An application's own may have others.
    pub const KINDS: &'static [&'static str] = &["subject", "issuer", "sid", "jti", "key", "ticket", "gate"];

    /// On `value`, which is a `kind`.
    pub fn on(kind: &'static str, value: impl Into<Box<str>>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.value)
    }
}

impl std::str::FromStr for Rest {
    type Err = UnreadableId;

    /// Reads `kind=value`, as the command line and the API write it.
    fn from_str(text: &str) -> Result<Self, UnreadableId> {
        match text.split_once('=') {
            Some((kind, value)) if !kind.is_empty() && !value.is_empty() => {
                Ok(Self { kind: kind.to_owned().into(), value: value.into() })
            }
            _ => Err(UnreadableId { expected: "`kind=value`, as in `subject=member:7`" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_survives_its_own_text() {
        let id = TraceId::from_bytes([7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("0x".parse::<TraceId>().is_err());
        assert!("+0000000000000000000000000000000".parse::<TraceId>().is_err());
        assert!("G".repeat(32).parse::<SocketId>().is_err());
    }

    #[test]
    fn an_account_is_the_subject_that_it_is_read_back_from() {
        let subject = AccountId(7).subject("bob");
        assert_eq!(subject.to_string(), "member:7");
        assert_eq!(AccountId::of(&subject), Some(AccountId(7)));
        assert_eq!(AccountId::of(&Subject { kind: "terminal".into(), ..subject.clone() }), None);
    }

    #[test]
    fn an_account_s_number_is_written_in_one_way_alone() {
        let subject = |pk: &str| Subject { kind: AccountId::KIND.into(), pk: pk.into(), uuid: "bob".into() };
        for pk in ["7", "0", "18446744073709551615"] {
            assert_eq!(AccountId::of(&subject(pk)).map(|id| id.to_string()).as_deref(), Some(pk));
        }
        for pk in ["007", "+7", "-7", " 7", "7 ", "7.0", "0x7", "", "00", "٧", "18446744073709551616"] {
            assert_eq!(AccountId::of(&subject(pk)), None, "{pk}");
        }
    }

    #[test]
    fn a_subject_is_made_of_names_and_its_kind_ends_at_the_first_colon() {
        let subject: Subject = "terminal:till:7".parse().unwrap();
        assert_eq!(
            (subject.kind.as_str(), subject.pk.as_str(), subject.uuid.as_str()),
            ("terminal", "till:7", "till:7")
        );
        assert_eq!(
            Subject::read("member", "7", "Zoë O'Neill").map(|subject| subject.uuid).as_deref(),
            Ok("Zoë O'Neill")
        );
        let (longest, longer) = ("x".repeat(255), "x".repeat(256));
        assert!(Subject::read(&longest, &longest, &longest).is_ok());
        for bad in ["", "a\nb", "\u{85}", "\0", &longer] {
            for [kind, pk, uuid] in [[bad, "7", "bob"], ["member", bad, "bob"], ["member", "7", bad]] {
                assert!(Subject::read(kind, pk, uuid).is_err(), "{kind:?} {pk:?} {uuid:?}");
            }
        }
        assert!(Subject::read("member:7", "8", "bob").is_err(), "it would read as another");
        for bad in ["bob", ":7", "member:", ""] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_proof_rests_on_survives_its_own_text() {
        let rest = Rest::on("subject", "member:7=8");
        assert_eq!(rest.to_string().parse(), Ok(rest));
        assert!("subject".parse::<Rest>().is_err());
        assert!("=x".parse::<Rest>().is_err());
    }
}
