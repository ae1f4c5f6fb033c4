//! The other end of a client, in memory.

use doorward_client::{Address, Client, ConnectError, Options};
use doorward_wire::websocket::{
    Decoder, Event, Input, Limits,
    frame::{self, Opcode},
    handshake,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// A server that does what a test says.
pub(crate) struct Peer {
    stream: DuplexStream,
    decoder: Decoder,
    /// The head of the upgrade request, as it came.
    pub(crate) request: String,
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    Nothing,
}

impl Heard {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

pub(crate) fn address() -> Address {
    "ws://gate.example/fancy?lang=de".parse().unwrap()
}

/// A client and its peer, past the upgrade.
pub(crate) async fn connected() -> (Client<DuplexStream>, Peer) {
    connected_with(Options::default()).await
}

/// The same with options of one's own.
pub(crate) async fn connected_with(options: Options) -> (Client<DuplexStream>, Peer) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let address = address();
    let (client, peer) = tokio::join!(
        Client::over(near, &address, options),
        Peer::accept(far, "Sec-WebSocket-Protocol: doorward.v1\r\n")
    );
    (client.unwrap(), peer)
}

/// What a client makes of an answer, in which `{accept}` stands for the right accept key.
pub(crate) async fn answered(answer: &str, options: Options) -> Result<Client<DuplexStream>, ConnectError> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let address = address();
    let serving = async {
        let mut peer = Peer::listen(far).await;
        peer.write(answer.replace("{accept}", &peer.accept_key()).as_bytes()).await;
        peer
    };
    let (client, _peer) = tokio::join!(Client::over(near, &address, options), serving);
    client
}

impl Peer {
    /// Reads the request and answers nothing yet.
    pub(crate) async fn listen(mut stream: DuplexStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = stream.read_u8().await.unwrap();
            head.push(byte);
        }
        let request = String::from_utf8(head).unwrap();
        Self { stream, decoder: Decoder::server(Limits { message: 64 * 1024 }), request }
    }

    pub(crate) async fn accept(stream: DuplexStream, headers: &str) -> Self {
        let mut peer = Self::listen(stream).await;
        let accept = peer.accept_key();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        );
        peer.write(head.as_bytes()).await;
        peer
    }

    pub(crate) fn accept_key(&self) -> String {
        let key = self.header("Sec-WebSocket-Key").unwrap();
        String::from_utf8(handshake::accept_key(key.as_bytes()).unwrap().to_vec()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let before = format!("{name}: ");
        self.request.split("\r\n").find_map(|line| line.strip_prefix(&before))
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.write(&frame::text(text.as_bytes())).await;
    }

    pub(crate) async fn close(&mut self, code: u16, reason: &str) {
        self.write(&frame::close_code(code, reason)).await;
    }

    /// Leaves without a word.
    pub(crate) async fn hang_up(mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next thing that the client sent.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            // One byte at a time: then there is never more than one event in what was read.
            let mut byte = [0];
            if self.stream.read(&mut byte).await.unwrap() == 0 {
                return Heard::Nothing;
            }
            let mut input = Input::new(&mut byte);
            if let Some(event) = self.decoder.next(&mut input).unwrap() {
                return match event {
                    Event::Fragment => continue,
                    Event::Message(message) => match message.text() {
                        Some(text) => Heard::text(text),
                        None => Heard::Binary(message.payload.to_vec()),
                    },
                    Event::Pong(payload) => Heard::Pong(payload.to_vec()),
                    Event::Close(close) => Heard::Close(close.code),
                    Event::Ping(_) => Heard::Nothing,
                };
            }
        }
    }
}

pub(crate) fn raw(json: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(json.to_owned()).unwrap()
}

pub(crate) fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(opcode, payload, Some([1, 2, 3, 4]), &mut bytes);
    bytes
}
