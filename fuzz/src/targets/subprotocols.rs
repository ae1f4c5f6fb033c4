use doorward_wire::websocket::handshake::{SUBPROTOCOLS, Subprotocols, accept_key};

/// `Sec-WebSocket-Protocol` and `Sec-WebSocket-Key`: the tokens are those that a plain reading of the grammar gives, and a key is
/// accepted only in one spelling.
pub fn subprotocols(data: &[u8]) {
    let read = Subprotocols::read(data).ok();
    let tokens: Option<Vec<&str>> = read.map(|read| read.iter().collect());
    assert_eq!(tokens, plainly(data));

    if let Some(accept) = accept_key(data) {
        assert_eq!(data.len(), 24);
        assert!(data.ends_with(b"==") && accept.ends_with(b"="), "16 and 20 bytes end so in base64");
    }
}

fn plainly(data: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(data).ok().filter(|text| text.len() <= SUBPROTOCOLS)?;
    text.split(',').map(|item| Some(item.trim_matches([' ', '\t'])).filter(|item| is_token(item))).collect()
}

/// RFC 9110, section 5.6.2: visible characters but delimiters.
fn is_token(item: &str) -> bool {
    !item.is_empty() && item.chars().all(|c| c.is_ascii_graphic() && !r#""(),/:;<=>?@[\]{}"#.contains(c))
}
