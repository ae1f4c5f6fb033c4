//! What a client of a gate says and hears: the upgrade, JSON messages as frames, and the head of a response.

use crate::{
    error::{Error, Result},
    frames,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, rc::Rc};

/// The key of every masked frame. Constant: this masks for the protocol's sake, not for a proxy's.
pub(crate) const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0xe8];

/// The upgrade request (RFC 6455 section 4.1).
pub(crate) fn request(host: SocketAddr, path: &str, bearer: Option<&str>) -> Rc<[u8]> {
    upgrade(host, path, &bearer.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n")))
}

/// The upgrade request of a page of the site itself, whose browser shows a cookie.
pub(crate) fn request_of_page(host: SocketAddr, path: &str, cookie: &str) -> Rc<[u8]> {
    upgrade(host, path, &format!("Origin: http://{host}\r\nCookie: {cookie}\r\n"))
}

/// `lines` are further lines of the head, each with its end.
fn upgrade(host: SocketAddr, path: &str, lines: &str) -> Rc<[u8]> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
    .into_bytes()
    .into()
}

/// The answer to the `jwt` layer, as a frame.
pub(crate) fn auth(token: &str) -> Rc<[u8]> {
    text(&json!({"action": "auth", "kind": "jwt", "token": token})).into()
}

/// The same in the words of Socket.IO.
pub(crate) fn authentication(token: &str) -> Rc<[u8]> {
    let event = json!(["authentication", { "token": token }]);
    frames::encode(frames::TEXT, Some(MASK), format!("42{event}").as_bytes()).into()
}

/// A JSON message as a client's frame.
pub(crate) fn text(message: &Value) -> Vec<u8> {
    frames::encode(frames::TEXT, Some(MASK), message.to_string().as_bytes())
}

/// The `event` of a server's message.
pub(crate) fn event(payload: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(payload).ok()?;
    Some(message.get("event")?.as_str()?.to_owned())
}

/// Length of a response's head and its status; `None` while it is not there as a whole.
pub(crate) fn response(bytes: &[u8]) -> Result<Option<(usize, u16)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => Ok(Some((length, response.code.unwrap_or_default()))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(Error::Server(format!("sent a bad response: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_wherever_it_stands_in_the_object() {
        assert_eq!(event(br#"{"event":"ask","layer":"jwt"}"#).as_deref(), Some("ask"));
        assert_eq!(event(br#"{"socket":"a","event":"admitted"}"#).as_deref(), Some("admitted"));
        assert_eq!(event(br#"{"message":"\"event\":\"admitted\""}"#), None);
        assert_eq!(event(b"not json"), None);
    }

    #[test]
    fn a_response_is_waited_for_as_a_whole() {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        for cut in 0..head.len() {
            assert_eq!(response(&head[..cut]).unwrap(), None);
        }
        assert_eq!(response(head).unwrap(), Some((head.len(), 101)));
        assert_eq!(response(b"HTTP/1.1 401 Unauthorized\r\n\r\n").unwrap().unwrap().1, 401);
    }
}
