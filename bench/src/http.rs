//! Requests of a browser and of a program, and their answers as a whole.

use crate::error::{Error, Result};
use std::{net::SocketAddr, time::Duration};

/// A form, as a page of the site itself sends it. Names and values stand as they are: letters, digits and dashes.
pub(crate) fn form(host: SocketAddr, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let body = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let lines = format!("Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n");
    post(host, path, "application/x-www-form-urlencoded", &lines, &body)
}

/// JSON, as a program sends it that shows a key.
pub(crate) fn json(host: SocketAddr, path: &str, key: &str, body: &serde_json::Value) -> Vec<u8> {
    post(host, path, "application/json", &format!("Authorization: Bearer {key}\r\n"), &body.to_string())
}

fn post(host: SocketAddr, path: &str, kind: &str, lines: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{lines}\r\n{body}"
    )
    .into_bytes()
}

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The cookies that it sets, each up to its attributes: `name=value`.
    pub(crate) cookies: Vec<String>,
    /// `Retry-After`, where it says a number of seconds.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The answer that these bytes are; `None` while it is not there as a whole.
    pub(crate) fn whole(bytes: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(Error::Server(format!("sent a bad response: {error}"))),
        };
        let values = |name: &str| {
            let found = head.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value).into_owned()).collect::<Vec<_>>()
        };
        let promised = values("content-length").first().and_then(|length| length.parse::<usize>().ok());
        let promised = promised.ok_or_else(|| Error::Server("does not say how long its answer is".into()))?;
        let body = bytes.get(length..).unwrap_or_default();
        Ok(body.get(..promised).map(|body| Self {
            status: head.code.unwrap_or_default(),
            cookies: values("set-cookie").iter().filter_map(|line| Some(line.split(';').next()?.to_owned())).collect(),
            retry_after: values("retry-after").first().and_then(|text| text.parse().ok()).map(Duration::from_secs),
            body: body.to_vec(),
        }))
    }

    /// The same, where it has that status. Otherwise an error, with what the answer says.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let text: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Err(Error::Server(format!("answered {} where {status} was due: {text}", self.status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_there_when_its_last_byte_is() {
        let text = b"HTTP/1.1 303 See Other\r\nSet-Cookie: a=b; Path=/; Secure\r\nset-cookie: c=\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\nhi";
        for cut in 0..text.len() {
            assert_eq!(Reply::whole(&text[..cut]).unwrap(), None, "cut at {cut}");
        }
        let reply = Reply::whole(text).unwrap().unwrap();
        assert_eq!((reply.status, reply.body), (303, b"hi".to_vec()));
        assert_eq!((reply.cookies, reply.retry_after), (vec!["a=b".into(), "c=".into()], Some(Duration::from_secs(5))));
    }

    #[test]
    fn an_answer_of_unknown_length_is_an_error_and_not_waited_for() {
        assert!(Reply::whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(Reply::whole(b"SSH-2.0-x\r\n\r\n").is_err());
    }

    #[test]
    fn another_status_than_the_expected_one_is_told_with_its_words() {
        let reply = Reply { status: 503, cookies: Vec::new(), retry_after: None, body: b"busy".to_vec() };
        assert!(reply.clone().expect(503).is_ok());
        let error = reply.expect(303).unwrap_err().to_string();
        assert_eq!(error, "the server answered 503 where 303 was due: busy");
    }

    #[test]
    fn a_form_says_which_page_it_is_from_and_a_program_shows_its_key() {
        let host = "127.0.0.1:80".parse().unwrap();
        let form = String::from_utf8(form(host, "/login", &[("a", "b"), ("c", "d")])).unwrap();
        assert!(form.starts_with("POST /login HTTP/1.1\r\nHost: 127.0.0.1:80\r\n"), "{form}");
        assert!(form.contains("\r\nOrigin: http://127.0.0.1:80\r\n") && form.ends_with("\r\n\r\na=b&c=d"), "{form}");
        let json = String::from_utf8(json(host, "/x", "dwa_1", &serde_json::json!({}))).unwrap();
        assert!(json.contains("\r\nContent-Length: 2\r\n") && json.contains("\r\nAuthorization: Bearer dwa_1\r\n"));
    }
}
