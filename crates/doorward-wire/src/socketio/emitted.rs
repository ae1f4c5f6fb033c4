use serde_json::value::RawValue;

use super::{Arguments, Malformed, arguments, dialect, packet};

/// An event that an application emits, held to what every client's parser takes, and to names that are neither the protocol's nor
/// the gate's own: a client believes what it hears by those.
///
/// ```
/// use doorward_wire::socketio::Emitted;
/// let arguments = serde_json::from_str(r#"[{"id": 7}, true]"#).unwrap();
/// assert_eq!(Emitted::new("projectChanged", arguments).unwrap().arguments().text(), r#"{"id": 7}, true"#);
/// assert!(Emitted::new("disconnect", arguments).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Emitted<'a> {
    name: &'a str,
    arguments: Arguments<'a>,
}

impl<'a> Emitted<'a> {
    /// An event of that name; `arguments` is a list of JSON values, which go out as they are written.
    ///
    /// # Errors
    /// Of the name: [`BadEventName`](Malformed::BadEventName), [`ReservedEventName`](Malformed::ReservedEventName),
    /// [`GatesOwnEventName`](Malformed::GatesOwnEventName). Of the arguments: [`Unfit`](Malformed::Unfit) where they are no list,
    /// [`TooDeep`](Malformed::TooDeep), [`TooManyArguments`](Malformed::TooManyArguments),
    /// [`HalfACharacter`](Malformed::HalfACharacter).
    pub fn new(name: &'a str, arguments: &'a RawValue) -> Result<Self, Malformed> {
        if dialect::is_the_gates_own(name) {
            return Err(Malformed::GatesOwnEventName);
        }
        packet::check_name(name)?;
        let arguments = Arguments::read(arguments::checked(arguments.get())?)?;
        Ok(Self { name, arguments })
    }

    /// What it is called.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// What it carries.
    pub const fn arguments(&self) -> &Arguments<'a> {
        &self.arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emitted(name: &str, arguments: &str) -> Result<String, Malformed> {
        let arguments = serde_json::from_str(arguments).unwrap();
        Emitted::new(name, arguments).map(|event| event.arguments().text().to_owned())
    }

    #[test]
    fn an_application_emits_by_no_name_of_the_protocol_or_the_gate() {
        for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
            assert_eq!(emitted(name, "[]"), Err(Malformed::ReservedEventName), "{name}");
        }
        for name in ["authentication", "authenticated", "unauthorized", "doorward"] {
            assert_eq!(emitted(name, "[]"), Err(Malformed::GatesOwnEventName), "{name}");
        }
        for name in ["", &"n".repeat(256)] {
            assert_eq!(emitted(name, "[]"), Err(Malformed::BadEventName));
        }
        assert!(emitted(&"n".repeat(255), "[]").is_ok());
    }

    #[test]
    fn what_is_emitted_is_a_list_that_every_parser_takes() {
        assert_eq!(emitted("n", "[ 1 , [2] ]").unwrap(), "1 , [2]");
        assert!(matches!(emitted("n", "{}"), Err(Malformed::Unfit { .. })));
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(emitted("n", &nested(64)).is_ok());
        assert_eq!(emitted("n", &nested(65)), Err(Malformed::TooDeep { limit: 64 }));
        let many = |count| format!("[{}]", vec!["0"; count].join(","));
        assert!(emitted("n", &many(64)).is_ok());
        assert_eq!(emitted("n", &many(65)), Err(Malformed::TooManyArguments { limit: 64 }));
        assert_eq!(emitted("n", r#"["\ud800"]"#), Err(Malformed::HalfACharacter));
    }
}
