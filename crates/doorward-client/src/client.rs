use doorward_types::CloseReason;
use doorward_wire::{
    json::{self, Event},
    websocket::frame::Opcode,
};
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use crate::{
    Address, ClientError, Closed, ConnectError, Message, Options, Stream, connection::Connection, tls, upgrade::upgrade,
};

/// An open WebSocket to a gate, before or after its ladder.
///
/// Whatever waits here may be given up (in a `select!`) and called again: nothing is lost, and no half frame is sent.
pub struct Client<S = Stream> {
    pub(crate) connection: Connection<S>,
    subprotocol: Option<String>,
    options: Options,
    last_id: u64,
}

impl Client {
    /// Connects to `ws://host[:port]/path`, or by `wss://` over TLS, and upgrades.
    ///
    /// # Errors
    /// [`ConnectError`]: the url, the network, the certificate, or what the server answered. A refusal by a handshake layer is
    /// [`ConnectError::Refused`] with the HTTP status.
    pub async fn connect(url: &str, options: Options) -> Result<Self, ConnectError> {
        let address: Address = url.parse()?;
        let within = options.timeout;
        let connecting = async {
            let unreachable = |error| ConnectError::Unreachable { authority: address.authority().to_owned(), error };
            let stream = TcpStream::connect((address.host(), address.port())).await.map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            let stream = match address.is_tls() {
                true => tls::connect(stream, &address, options.issuers.as_ref()).await?.into(),
                false => stream.into(),
            };
            Self::over(stream, &address, options).await
        };
        let too_slow = ConnectError::TooSlow { authority: address.authority().to_owned(), within };
        timeout(within, connecting).await.unwrap_or(Err(too_slow))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Upgrades a stream that is connected already: one inside TLS, through a proxy, or in memory.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn over(mut stream: S, address: &Address, options: Options) -> Result<Self, ConnectError> {
        let within = options.timeout;
        let too_slow = ConnectError::TooSlow { authority: address.authority().to_owned(), within };
        let upgrading = timeout(within, upgrade(&mut stream, address, &options));
        let mut upgraded = upgrading.await.unwrap_or(Err(too_slow))?;
        let connection = Connection::new(stream, &mut upgraded.read_ahead, options.message)
            .map_err(|error| ConnectError::NotAnUpgrade { what: error.to_string() })?;
        Ok(Self { connection, subprotocol: upgraded.subprotocol, options, last_id: 0 })
    }

    /// The subprotocol that the server chose.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// How the server closed, once [`next_event`](Self::next_event) or [`next_message`](Self::next_message) gave `None`.
    pub fn closed(&self) -> Option<&Closed> {
        self.connection.closed()
    }

    /// The next thing that a gate of Doorward says; `None` after its Close frame.
    ///
    /// # Errors
    /// [`ClientError`]: the connection cannot go on. A message that is not of `doorward.v1` is an error of its own, and the
    /// next call goes on after it.
    pub async fn next_event(&mut self) -> Result<Option<Event>, ClientError> {
        Ok(match self.next_message().await? {
            Some(message) => Some(parse(message)?),
            None => None,
        })
    }

    /// The next message as it came, for gates before an unchanged server; `None` after a Close frame.
    ///
    /// # Errors
    /// [`ClientError`]: the connection cannot go on.
    pub async fn next_message(&mut self) -> Result<Option<Message>, ClientError> {
        self.connection.next().await
    }

    /// Sends a text message as it is.
    ///
    /// # Errors
    /// [`ClientError`]: the connection is closed or lost.
    pub async fn send(&mut self, text: &str) -> Result<(), ClientError> {
        self.connection.send(Opcode::Text, text.as_bytes()).await
    }

    /// Sends a binary message as it is.
    ///
    /// # Errors
    /// [`ClientError`]: the connection is closed or lost.
    pub async fn send_binary(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.connection.send(Opcode::Binary, bytes).await
    }

    /// Asks for the messages of a channel. The answer is [`Event::Subscribed`] or [`Event::Error`] with the id that this gives.
    ///
    /// # Errors
    /// [`ClientError`]: the connection is closed or lost.
    pub async fn subscribe(&mut self, channel: &str, pk: Option<&str>) -> Result<u64, ClientError> {
        self.request(|id| json::subscribe(channel, pk, id)).await
    }

    /// Asks for no more messages of a channel.
    ///
    /// # Errors
    /// [`ClientError`]: the connection is closed or lost.
    pub async fn unsubscribe(&mut self, channel: &str, pk: Option<&str>) -> Result<u64, ClientError> {
        self.request(|id| json::unsubscribe(channel, pk, id)).await
    }

    /// Publishes JSON to a channel.
    ///
    /// # Errors
    /// [`ClientError`]: the connection is closed or lost.
    pub async fn publish(&mut self, channel: &str, pk: Option<&str>, message: &RawValue) -> Result<u64, ClientError> {
        self.request(|id| json::publish(channel, pk, id, message)).await
    }

    /// Sends an action of the owner's own.
    ///
    /// # Errors
    /// [`ClientError`]: the connection is closed or lost.
    pub async fn custom(
        &mut self,
        action: &str,
        channel: Option<&str>,
        pk: Option<&str>,
        message: Option<&RawValue>,
    ) -> Result<u64, ClientError> {
        self.request(|id| json::custom(action, channel, pk, id, message)).await
    }

    async fn request(&mut self, write: impl FnOnce(Option<u64>) -> String) -> Result<u64, ClientError> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&write(Some(id))).await?;
        Ok(id)
    }

    /// Says goodbye with a close code of 1000 and waits, up to [`Options::timeout`], until the server has done so too.
    ///
    /// # Errors
    /// [`ClientError`]: the server did not answer properly; the connection is over all the same.
    pub async fn close(mut self) -> Result<(), ClientError> {
        let goodbye = self.connection.goodbye(CloseReason::Normal.code(), CloseReason::Normal.name());
        match timeout(self.options.timeout, goodbye).await {
            Ok(said) => said,
            Err(_) => Err(ClientError::Lost(std::io::ErrorKind::TimedOut.into())),
        }
    }
}

/// A message of `doorward.v1`.
pub(crate) fn parse(message: Message) -> Result<Event, ClientError> {
    match message {
        Message::Text(text) => Ok(Event::parse(&text)?),
        Message::Binary(bytes) => Ok(Event::parse(&String::from_utf8_lossy(&bytes))?),
    }
}
