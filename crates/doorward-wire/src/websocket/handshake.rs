//! The strings of the opening handshake (RFC 6455, sections 1.3, 4.1 and 4.2), as bytes from header values.
//!
//! ```text
//! client -> server   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
//!                    Sec-WebSocket-Protocol: doorward.v1, chat
//! server -> client   Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
//!                    Sec-WebSocket-Protocol: doorward.v1
//! ```

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The most bytes of a `Sec-WebSocket-Protocol` value that are read.
pub const SUBPROTOCOLS: usize = 8 * 1024;

/// The header that carries a one-time ticket, in lowercase. Header names have no case (RFC 9110, section 5.1).
pub const TICKET_HEADER: &str = "doorward-ticket";

/// How an entry begins that carries a bearer token in base64url.
const BEARER_ENTRY: &str = "base64url.bearer.authorization.doorward.";

/// How an entry begins that carries a one-time ticket.
const TICKET_ENTRY: &str = "ticket.doorward.";

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A client's `Sec-WebSocket-Key` from 16 random bytes.
pub fn key(random: &[u8; 16]) -> [u8; 24] {
    let mut key = [0; 24];
    // 16 bytes are 24 characters in base64, so it cannot be too small.
    let written = STANDARD.encode_slice(random, &mut key);
    debug_assert_eq!(written, Ok(24));
    key
}

/// The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`; `None` where the key is not 16 bytes in base64.
///
/// ```
/// use doorward_wire::websocket::handshake::accept_key;
/// assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), Some(*b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
/// assert_eq!(accept_key(b"short"), None);
/// ```
pub fn accept_key(key: &[u8]) -> Option<[u8; 28]> {
    let mut random = [0; 18];
    if STANDARD.decode_slice(key, &mut random) != Ok(16) {
        return None;
    }
    let mut sha1 = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    sha1.update(key);
    sha1.update(GUID);
    let mut accept = [0; 28];
    STANDARD.encode_slice(sha1.finish(), &mut accept).ok()?;
    Some(accept)
}

/// A `Sec-WebSocket-Protocol` value that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableSubprotocols {
    /// It is longer than [`SUBPROTOCOLS`].
    #[error("`Sec-WebSocket-Protocol` is longer than {SUBPROTOCOLS} bytes")]
    TooLong,
    /// There is nothing, or nothing between two commas.
    #[error("`Sec-WebSocket-Protocol` names an empty subprotocol at byte {at}")]
    Empty {
        /// Where, from 0.
        at: usize,
    },
    /// A byte that no token has (RFC 9110, section 5.6.2).
    #[error("`Sec-WebSocket-Protocol` has a byte at {at} that no subprotocol can have")]
    NotAToken {
        /// Where, from 0.
        at: usize,
    },
}

/// The subprotocols that a client offers, in its order of preference.
#[derive(Clone, Copy, Debug)]
pub struct Subprotocols<'a>(&'a str);

impl<'a> Subprotocols<'a> {
    /// Reads a header value: tokens with commas between them, and spaces or tabs around them. It takes linear time and no memory.
    ///
    /// # Errors
    /// [`UnreadableSubprotocols`], with the place of the first byte that is wrong.
    pub fn read(value: &'a [u8]) -> Result<Self, UnreadableSubprotocols> {
        if value.len() > SUBPROTOCOLS {
            return Err(UnreadableSubprotocols::TooLong);
        }
        let mut at = 0;
        for item in value.split(|byte| *byte == b',') {
            let Some(first) = item.iter().position(|byte| !is_blank(*byte)) else {
                return Err(UnreadableSubprotocols::Empty { at: at + item.len() });
            };
            let end = item.iter().rposition(|byte| !is_blank(*byte)).map_or(first, |last| last + 1);
            let token = item.get(first..end).unwrap_or_default();
            if let Some(place) = token.iter().position(|byte| !is_token(*byte)) {
                return Err(UnreadableSubprotocols::NotAToken { at: at + first + place });
            }
            at += item.len() + 1;
        }
        // Tokens, commas and blanks are ASCII.
        std::str::from_utf8(value)
            .map(Self)
            .map_err(|error| UnreadableSubprotocols::NotAToken { at: error.valid_up_to() })
    }

    /// The tokens.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(',').map(str::trim_ascii)
    }

    /// Whether one of them is `name`; the case counts.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|token| token == name)
    }
}

/// What an entry of `Sec-WebSocket-Protocol` is for. A page of a browser can set no other header, so credentials for a gate come
/// among the subprotocols: they are neither echoed nor passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A real subprotocol.
    Protocol(&'a str),
    /// A bearer token, in base64url.
    Bearer(&'a str),
    /// A one-time ticket.
    Ticket(&'a str),
}

impl<'a> Entry<'a> {
    /// Tells a credential by how it begins, in whatever case: what somebody may take for one must not be seen by others.
    pub fn of(token: &'a str) -> Self {
        if let Some(bearer) = after(token, BEARER_ENTRY) {
            Self::Bearer(bearer)
        } else if let Some(ticket) = after(token, TICKET_ENTRY) {
            Self::Ticket(ticket)
        } else {
            Self::Protocol(token)
        }
    }
}

fn after<'a>(token: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = token.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_sixteen_bytes_has_the_accept_key_of_the_standard() {
        // RFC 6455, section 1.3.
        assert_eq!(key(b"the sample nonce"), *b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), Some(*b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn a_key_that_is_not_sixteen_bytes_in_base64_is_refused() {
        for key in [
            b"".as_slice(),
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZQ== ",
            b"dGhlIHNhbXBsZSBub25jZTE=",
            b"dGhlIHNhbXBsZSBub25jZR==",
            b"dGhlIHNhbXBsZSBub25j_Q==",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(accept_key(key), None, "{}", key.escape_ascii());
        }
    }

    #[test]
    fn subprotocols_are_read_in_their_order() {
        let offered = Subprotocols::read(b"doorward.v1,chat ,\t base64url.bearer.x-y_z").unwrap();
        assert_eq!(offered.iter().collect::<Vec<_>>(), ["doorward.v1", "chat", "base64url.bearer.x-y_z"]);
        assert!(offered.contains("chat") && !offered.contains("Chat"));
    }

    #[test]
    fn a_credential_is_told_by_how_it_begins_in_whatever_case() {
        assert!(Entry::of("ticket.doorward.dwt_1") == Entry::Ticket("dwt_1"));
        assert!(Entry::of("Ticket.DOORWARD.Dwt_1") == Entry::Ticket("Dwt_1"));
        assert!(Entry::of("base64url.bearer.authorization.doorward.YQ") == Entry::Bearer("YQ"));
        assert!(Entry::of("BASE64URL.Bearer.authorization.doorward.YQ") == Entry::Bearer("YQ"));
        for name in
            ["chat", "ticket.doorward", "ticket", "x-ticket.doorward.y", "base64url.bearer.authorization.k8s.io.YQ"]
        {
            assert!(Entry::of(name) == Entry::Protocol(name), "{name}");
        }
    }

    #[test]
    fn c22_every_byte_that_no_token_has_is_refused_where_it_stands() {
        for byte in 0..=255_u8 {
            let read = Subprotocols::read(&[b'a', byte, b'b']).map(|offered| offered.iter().count());
            let expected = match byte {
                b',' => Ok(2),
                b'!'
                | b'#'..=b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'0'..=b'9'
                | b'A'..=b'Z'
                | b'^'..=b'z'
                | b'|'
                | b'~' => Ok(1),
                _ => Err(UnreadableSubprotocols::NotAToken { at: 1 }),
            };
            assert_eq!(read, expected, "byte {byte:#04x}");
        }
        assert_eq!(Subprotocols::read(b"a\n").err(), Some(UnreadableSubprotocols::NotAToken { at: 1 }));
        assert_eq!(Subprotocols::read(b"\r\n").err(), Some(UnreadableSubprotocols::NotAToken { at: 0 }));
    }

    #[test]
    fn c22_nothing_between_commas_is_refused() {
        for (value, at) in [(b"".as_slice(), 0), (b" \t", 2), (b"a,", 2), (b",a", 0), (b"a,  ,b", 4)] {
            assert_eq!(Subprotocols::read(value).err(), Some(UnreadableSubprotocols::Empty { at }));
        }
    }

    #[test]
    fn c22_eight_kilobytes_are_read_and_a_byte_more_is_not() {
        assert!(Subprotocols::read(&vec![b'a'; SUBPROTOCOLS]).is_ok());
        assert_eq!(Subprotocols::read(&vec![b'a'; SUBPROTOCOLS + 1]).err(), Some(UnreadableSubprotocols::TooLong));
    }

    #[test]
    fn c23_a_run_of_spaces_is_refused_without_being_walked_twice() {
        let mut value = b"b".to_vec();
        value.extend(vec![b' '; 32_000]);
        value.push(b'x');
        assert_eq!(Subprotocols::read(&value).err(), Some(UnreadableSubprotocols::TooLong));
        let short = [b"b".as_slice(), &[b' '; 8000], b"x"].concat();
        assert_eq!(Subprotocols::read(&short).err(), Some(UnreadableSubprotocols::NotAToken { at: 1 }));
    }
}
