//! The inputs that the targets start from, made in code: valid ones, which the mutations then damage.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_wire::{
    engineio::{Packet, Revision, payload},
    json,
    ninep::{Data, Few, Fid, OpenMode, Qid, Reply, Request, Stat, Tag},
    websocket::{
        frame::{self, Opcode},
        handshake,
    },
};
use serde_json::{Value, json};

use crate::targets::tokens::{NOW, good, sign};

/// Streams of frames, masked and not, each cut in every way: the first byte says how.
pub fn cut_streams() -> Vec<Vec<u8>> {
    let streams = [None, Some([0; 4]), Some([0x37, 0xfa, 0x21, 0x3d])].into_iter().flat_map(streams);
    streams.flat_map(|stream| [0, 1, 2, 3, 6, 7, 8, 9].map(|way| [&[way], &stream[..]].concat())).collect()
}

fn streams(mask: Option<[u8; 4]>) -> Vec<Vec<u8>> {
    let one = |opcode, payload: &[u8]| {
        let mut stream = Vec::new();
        frame::write(opcode, payload, mask, &mut stream);
        stream
    };
    let mut fragments = Vec::new();
    let text = "a door: 🚪, wasser: 水, ß".as_bytes();
    let (head, tail) = text.split_at(10);
    frame::write_fragment(Opcode::Text, false, head, mask, &mut fragments);
    frame::write(Opcode::Ping, b"?", mask, &mut fragments);
    frame::write_fragment(Opcode::Continuation, false, b"", mask, &mut fragments);
    frame::write_fragment(Opcode::Continuation, true, tail, mask, &mut fragments);
    let all = [one(Opcode::Text, text), fragments.clone(), one(Opcode::Pong, b""), one(Opcode::Close, b"\x03\xe8bye")];
    vec![
        one(Opcode::Text, b""),
        one(Opcode::Binary, &[0x80; 125]),
        one(Opcode::Binary, &[0xff; 126]),
        one(Opcode::Binary, &[0; 1024]),
        one(Opcode::Binary, &[1; 1025]),
        one(Opcode::Close, b""),
        fragments,
        all.concat(),
    ]
}

/// What admitted users say.
pub fn messages() -> Vec<Vec<u8>> {
    let mut messages = vec![
        json::subscribe("group", Some("3"), Some(1)),
        json::unsubscribe("grün", None, None),
        json::custom("presence", Some("group"), None, Some(u64::MAX), None),
        r#"{"action":"publish","channel":"group","pk":3,"id":"a","message":{"deep":[[[{"er":"\u00e4\ud83d\udeaa"}]]]}}"#.into(),
        r#" { "id" : -1.5e-3 , "x" : [ null , true , "\"]" ] , "acti\u006fn" : "history" , "pk" : -7 } "#.into(),
    ];
    messages.extend(text_answers());
    messages.into_iter().map(String::into_bytes).collect()
}

/// Bodies of long-polling, in all three forms: the first byte says which.
pub fn payloads() -> Vec<Vec<u8>> {
    let text = Packet::Message("2/default,7[\"€ 🚪\",{\"a\":[1]}]");
    let bytes = Packet::Binary((0..=255).collect());
    let probe = Packet::Ping("probe");
    let lists = [
        vec![text.clone()],
        vec![bytes.clone()],
        vec![probe.clone(), text.clone(), bytes, Packet::Pong(""), Packet::Upgrade, Packet::Close, text],
        vec![Packet::Noop; 257],
        vec![probe; 12],
    ];
    let forms = [(0, Revision::Three, false), (1, Revision::Three, true), (2, Revision::Four, false)];
    let written = forms.iter().flat_map(|(way, revision, takes_bytes)| {
        lists.iter().filter_map(|list| {
            let payload = payload::write(*revision, *takes_bytes, list).ok()?;
            Some([&[*way], &payload.into_bytes()[..]].concat())
        })
    });
    written.collect()
}

/// Packets of Socket.IO with their attachments: the first byte says the protocol, and every `0x1e` ends a message; one that begins
/// with `0x1d` is of bytes.
pub fn packets() -> Vec<Vec<u8>> {
    let all: [&[u8]; 12] = [
        b"0",
        b"0/default,{\"token\":\"abc\"}",
        b"0/default?token=abc,",
        b"1/default,",
        b"2[\"a\"]",
        b"2/default,7[\"authentication\",{\"token\":\"abc\"}]",
        b"3/default,7[true , [ 1.5e3 ]]",
        b"51-[\"upload\",{\"_placeholder\":true,\"num\":0}]\x1e\x1d\x00\xff\x1e2[\"next\"]",
        b"52-/default,9[\"two\",{\"num\":1,\"_pl\\u0061ceholder\":true},[{\"x\":{\"_placeholder\":true,\"num\":0}}]]\x1e\x1da\x1e\x1db",
        b"61-3[{\"_placeholder\":true,\"num\":0}]\x1e\x1d",
        b"510-[\"a\",{\"_placeholder\":true,\"num\":1000000000}]",
        b"29007199254740991[\"\\ud83d\\udeaa\",\"\\\"]{}\"]",
    ];
    all.iter().flat_map(|packet| [0, 1].map(|way| [&[way], *packet].concat())).collect()
}

/// What users say to a ladder.
pub fn answers() -> Vec<Vec<u8>> {
    text_answers().into_iter().map(String::into_bytes).collect()
}

fn text_answers() -> Vec<String> {
    vec![
        json::auth("jwt", &[("token", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln")]),
        json::auth(None, &[]),
        json::auth("challenge", &[("proof", "a\"\\\n🚪"), ("partial", "")]),
        r#"{"code":123456,"action":"auth","kind":"totp","remember":true,"n":-0}"#.into(),
        r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12,"m":13,"n":14,"o":15,"p":16,"action":"auth"}"#
            .into(),
    ]
}

/// Values of `Sec-WebSocket-Protocol` and `Sec-WebSocket-Key`.
pub fn subprotocols() -> Vec<Vec<u8>> {
    vec![
        b"doorward.v1".to_vec(),
        b"chat, superchat ,\tbase64url.bearer.authorization.k8s.io.ZXlK, doorward.v1".to_vec(),
        b"!#$%&'*+-.^_`|~".to_vec(),
        vec![b'a'; handshake::SUBPROTOCOLS],
        b"a,".repeat(1000),
        handshake::key(b"the sample nonce").to_vec(),
    ]
}

/// What clients and servers of a file tree say, cut in every way: the first byte says how.
pub fn file_requests() -> Vec<Vec<u8>> {
    let (fid, new) = (Fid(1), Fid(2));
    let requests = [
        Request::Version { msize: 8192, version: "9P2000" },
        Request::Auth { afid: new, uname: "bob", aname: "/" },
        Request::Attach { fid, afid: Fid::NONE, uname: "bob", aname: "" },
        Request::Walk { fid, new, names: Few::new(&["cart", "sku-7", "..", "wasser: 水"]).unwrap_or_default() },
        Request::Open { fid: new, mode: OpenMode::READ_WRITE.truncating() },
        Request::Create { fid: new, name: "sku-8", permissions: 0o600, mode: OpenMode::WRITE },
        Request::Read { fid, offset: 0, count: 4096 },
        Request::Write { fid, offset: 0, data: Data(b"3\n") },
        Request::Wstat { fid, stat: Stat { name: "n", ..Stat::UNTOUCHED } },
        Request::Flush { old: Tag(1) },
        Request::Clunk { fid },
    ];
    let qid = Qid { kind: Qid::DIRECTORY, version: 0, path: u64::MAX };
    let replies = [
        Reply::Version { msize: 8192, version: "9P2000" },
        Reply::Error { text: "permission denied" },
        Reply::Walk { qids: Few::new(&[qid; 16]).unwrap_or_default() },
        Reply::Open { qid, iounit: 8168 },
        Reply::Read { data: Data(&[0; 600]) },
        Reply::Stat { stat: Stat { name: "cart", owner: "bob", ..Stat::UNTOUCHED } },
    ];
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    requests.iter().zip(0..).for_each(|(request, number)| request.write(Tag(number), &mut asked));
    replies.iter().zip(0..).for_each(|(reply, number)| reply.write(Tag(number), &mut answered));
    [asked, answered].into_iter().flat_map(|stream| [0, 2, 4, 6].map(|way| [&[way], &stream[..]].concat())).collect()
}

/// Tokens as they are shown, signed and not.
pub fn tokens() -> Vec<Vec<u8>> {
    let (header, claims) = good();
    let signed = sign(header.to_string().as_bytes(), claims.to_string().as_bytes());
    let (unsigned, signature) = signed.rsplit_once('.').unwrap_or_default();
    let five = format!("{signed}.{unsigned}");
    let by_nobody = format!("eyJhbGciOiJub25lIn0.{signature}.");
    let all = [signed.clone(), "e30.e30.AA".to_owned(), format!("{unsigned}."), five, by_nobody, signed.repeat(20)];
    all.into_iter().map(String::into_bytes).collect()
}

/// What stands in tokens that are signed: the header, a byte `0x1e`, and the claims.
pub fn signed_texts() -> Vec<Vec<u8>> {
    let (header, claims) = good();
    let headers = [
        header.clone(),
        json!({ "typ": "application/AT+JWT", "alg": "HS256", "kid": "1" }),
        json!({ "alg": "none", "typ": "at+jwt" }),
        json!({ "alg": "HS256", "typ": "at+jwt", "crit": ["b64"], "b64": false }),
        json!({ "alg": "HS512", "typ": "JWT", "jku": "https://elsewhere.example/keys" }),
    ];
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        if let Some(place) = claims.as_object_mut() {
            place.insert(name.to_owned(), value);
        }
        claims
    };
    let claims = [
        claims.clone(),
        with("aud", json!(["account", "doorward"])),
        with("nbf", json!(NOW)),
        with("exp", json!(u64::MAX)),
        with("sub", json!(7)),
        with("groups", json!(["a", 1, { "deep": [[null, true, -1.5e3]] }])),
        with("events", json!({})),
        with("token_type", json!("Refresh")),
    ];
    let first = claims.iter().map(|claims| (&header, claims));
    let others = headers.iter().skip(1).flat_map(|header| claims.first().map(|claims| (header, claims)));
    first.chain(others).map(|(header, claims)| format!("{header}\x1e{claims}").into_bytes()).collect()
}

/// Sets of keys as issuers publish them: the first byte says by which algorithm they are read.
pub fn key_sets() -> Vec<Vec<u8>> {
    let [short, long, modulus] = [32, 48, 256].map(|length| URL_SAFE_NO_PAD.encode(vec![0x8f; length]));
    let keys = [
        json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB" }),
        json!({ "kty": "RSA", "kid": "pss", "key_ops": ["verify"], "n": modulus, "e": "AQAB" }),
        json!({ "kty": "RSA", "kid": "private", "n": modulus, "e": "AQAB", "d": "AQAB" }),
        json!({ "kty": "RSA", "kid": "encrypts", "use": "enc", "n": modulus, "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "P-256", "kid": "p256", "x": short, "y": short }),
        json!({ "kty": "EC", "crv": "P-384", "kid": "p384", "x": long, "y": long }),
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": short }),
        json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0" }),
    ];
    let many: Vec<Value> = (0..70)
        .map(|number| json!({ "kty": "OKP", "crv": "Ed25519", "kid": number.to_string(), "x": short }))
        .collect();
    let sets =
        [json!({ "keys": keys }), json!({ "keys": many, "more": null }), json!({ "keys": {} }), json!({ "keys": [] })];
    sets.iter().flat_map(|set| (0..6_u8).map(move |way| [&[way], set.to_string().as_bytes()].concat())).collect()
}
