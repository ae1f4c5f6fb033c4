use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use doorward_client::TlsError;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

const WITHIN: Duration = Duration::from_secs(5);
const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// A publisher on loopback that says the same to everybody.
pub(crate) struct Publisher {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    /// How many bytes it got rid of.
    sent: Arc<AtomicUsize>,
}

impl Publisher {
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        Self::over(None, answer.into()).await
    }

    async fn over(tls: Option<TlsAcceptor>, answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (asked, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (seen, gone) = (asked.clone(), sent.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                match &tls {
                    None => serve(stream, &seen, &gone, &answer).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => serve(stream, &seen, &gone, &answer).await,
                        Err(_) => continue,
                    },
                }
            }
        });
        Self { at, asked, sent }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<String>>,
    sent: &AtomicUsize,
    answer: &[u8],
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    seen.lock().unwrap().push(String::from_utf8(head).unwrap());
    for part in answer.chunks(16 * 1024) {
        if stream.write_all(part).await.is_err() {
            return;
        }
        sent.fetch_add(part.len(), Ordering::SeqCst);
    }
    let _gone = stream.shutdown().await;
}

pub(crate) fn json(body: &str) -> String {
    format!("{JSON}Content-Length: {}\r\n\r\n{body}", body.len())
}

const PRIVATE: Rules<'static> = Rules { trusted: None, allow_private: true, within: WITHIN };
const PUBLIC: Rules<'static> = Rules { allow_private: false, ..PRIVATE };

/// One whose names have these addresses, and how often it was asked for one.
fn knowing(addresses: Vec<SocketAddr>) -> (Outbound, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let resolve: Resolve = Arc::new(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        let addresses = addresses.clone();
        Box::pin(async { Ok(addresses) })
    });
    (Outbound { resolve }, asked)
}

async fn fetched(answer: impl Into<Vec<u8>>) -> Result<Document, FetchError> {
    let publisher = Publisher::saying(answer).await;
    Outbound::new().get_json(&publisher.url("/keys"), PRIVATE).await
}

#[tokio::test]
async fn a_document_is_asked_for_plainly_and_comes_with_its_age() {
    let publisher =
        Publisher::saying(json("{\"keys\":[]}").replace("\r\n\r\n", "\r\nCache-Control: public, max-age=600\r\n\r\n"))
            .await;
    let document = Outbound::new().get_json(&publisher.url("/a/keys?x=1"), PRIVATE).await.unwrap();
    assert_eq!((&document.body[..], document.max_age), (&b"{\"keys\":[]}"[..], Some(Duration::from_secs(600))));
    let [asked] = &publisher.asked()[..] else { panic!("{:?}", publisher.asked()) };
    let mut lines: Vec<_> = asked.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    let host = format!("host: {}", publisher.at);
    let agent = concat!("user-agent: doorward/", env!("CARGO_PKG_VERSION"));
    let wanted = ["GET /a/keys?x=1 HTTP/1.1", "accept: application/json, application/jwk-set+json", &host, agent];
    assert_eq!(lines, wanted, "nothing else is sent");
}

#[tokio::test]
async fn how_long_a_document_is_fresh_is_read_out_of_its_head() {
    for (says, age) in [
        ("", None),
        ("Cache-Control: max-age=60\r\n", Some(60)),
        ("Cache-Control: public\r\nCache-Control: MAX-AGE=\"61\"\r\n", Some(61)),
        ("Cache-Control: max-age=60, no-cache\r\n", Some(0)),
        ("Cache-Control: no-store\r\n", Some(0)),
        ("Cache-Control: max-age=-1\r\n", None),
        ("Cache-Control: max-age=99999999999999999999999\r\n", None),
    ] {
        let document = fetched(format!("{JSON}{says}Content-Length: 2\r\n\r\n{{}}")).await.unwrap();
        assert_eq!(document.max_age, age.map(Duration::from_secs), "{says}");
    }
}

#[tokio::test]
async fn c52_a_private_address_is_connected_to_only_where_the_owner_allows_it() {
    let publisher = Publisher::saying(json("{}")).await;
    let port = publisher.at.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "0x7f000001"] {
        let refused = Outbound::new().get_json(&format!("https://{host}:{port}/"), PUBLIC).await.unwrap_err();
        assert!(matches!(refused, FetchError::Forbidden(_) | FetchError::Unresolved(_)), "{host}: {refused}");
    }
    let refused = Outbound::new().get_json(&publisher.url("/"), PUBLIC).await.unwrap_err();
    assert!(matches!(refused, FetchError::NoTls), "{refused}");
    let metadata = Outbound::new().get_json("http://169.254.169.254/latest/meta-data", PRIVATE).await.unwrap_err();
    assert_eq!(metadata.to_string(), "169.254.169.254 may not be connected to");
    assert!(publisher.asked().is_empty());
    assert!(Outbound::new().get_json(&publisher.url("/"), PRIVATE).await.is_ok());
}

#[tokio::test]
async fn c52_a_name_is_resolved_once_and_what_is_connected_to_is_what_was_judged() {
    let publisher = Publisher::saying(json("{}")).await;
    let port = publisher.at.port();
    let metadata = SocketAddr::from(([169, 254, 169, 254], 80));
    let (outbound, resolved) = knowing(vec![metadata, publisher.at]);
    let url = format!("http://keys.example:{port}/");
    assert!(outbound.get_json(&url, PRIVATE).await.is_ok());
    assert_eq!(resolved.load(Ordering::SeqCst), 1);
    assert!(publisher.asked()[0].contains(&format!("host: keys.example:{port}\r\n")));
    let (outbound, _) = knowing(vec![publisher.at]);
    let refused = outbound.get_json("https://keys.example/", PUBLIC).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "127.0.0.1 may not be connected to, it is a private one; `allow_private = true` allows that"
    );
    let (nowhere, _) = knowing(Vec::new());
    let refused = nowhere.get_json("https://keys.example/", PUBLIC).await.unwrap_err();
    assert!(matches!(refused, FetchError::Unresolved(_)), "{refused}");
    assert_eq!(publisher.asked().len(), 1);
}

#[tokio::test]
async fn c55_a_redirect_is_not_followed() {
    let elsewhere = Publisher::saying(json("{}")).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let refused =
            fetched(format!("HTTP/1.1 {status}\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.url("/")))
                .await;
        assert!(matches!(refused, Err(FetchError::Redirect(_))), "{refused:?}");
    }
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn c55_what_is_no_json_by_its_head_is_refused() {
    for media in ["text/html", "application/octet-stream", "text/json+x", "application/jsonx"] {
        let refused = fetched(json("{}").replace("application/json", media)).await;
        assert!(matches!(refused, Err(FetchError::NotJson)), "{media}: {refused:?}");
    }
    let unnamed = fetched("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
    assert!(matches!(unnamed, Err(FetchError::NotJson)), "{unnamed:?}");
    for media in ["application/jwk-set+json", "Application/JSON; charset=utf-8"] {
        assert!(fetched(json("{}").replace("application/json", media)).await.is_ok(), "{media}");
    }
    for status in ["201 Created", "204 No Content", "404 Not Found", "500 Oh", "503 Later"] {
        let refused = fetched(json("{}").replace("200 OK", status)).await;
        assert!(matches!(refused, Err(FetchError::Status(_))), "{status}: {refused:?}");
    }
}

#[tokio::test]
async fn c55_a_long_document_is_counted_as_it_comes_whatever_its_head_says() {
    let exact = " ".repeat(LONGEST);
    assert_eq!(fetched(json(&exact)).await.unwrap().body.len(), LONGEST);
    let long = fetched(json(&" ".repeat(LONGEST + 1))).await;
    assert!(matches!(long, Err(FetchError::TooLong)), "{long:?}");
    // 100 MiB without a length: it is left where it is too long, and the publisher sits on the rest.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    let endless = format!("{JSON}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(100));
    let publisher = Publisher::saying(endless).await;
    let long = Outbound::new().get_json(&publisher.url("/"), PRIVATE).await;
    assert!(matches!(long, Err(FetchError::TooLong)), "{long:?}");
    assert!(publisher.sent.load(Ordering::SeqCst) < 20 << 20, "{:?}", publisher.sent);
    let head = fetched(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n{{}}", "x".repeat(HEAD))).await;
    assert!(matches!(head, Err(FetchError::Broken(_))), "{head:?}");
    let headers = fetched(format!("HTTP/1.1 200 OK\r\n{}\r\n{{}}", "X: y\r\n".repeat(HEADERS + 1))).await;
    assert!(matches!(headers, Err(FetchError::Broken(_))), "{headers:?}");
}

#[tokio::test]
async fn what_breaks_off_or_is_no_http_is_no_document() {
    for answer in ["", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200 OK\r\n", "{\"keys\":[]}"] {
        let broken = fetched(answer).await;
        assert!(matches!(broken, Err(FetchError::Broken(_))), "{answer}: {broken:?}");
    }
    let half = fetched(format!("{JSON}Content-Length: 200\r\n\r\n{{")).await;
    assert!(matches!(half, Err(FetchError::Broken(_))), "{half:?}");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Outbound::new().get_json(&format!("http://{closed}/"), PRIVATE).await;
    assert!(matches!(nobody, Err(FetchError::Unreachable(_))), "{nobody:?}");
}

#[tokio::test(start_paused = true)]
async fn c55_who_is_silent_or_slow_is_not_waited_for_longer_than_the_time_limit() {
    // Accepted by the system, and by nobody else.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let began = tokio::time::Instant::now();
    let slow = Outbound::new().get_json(&url, PRIVATE).await;
    assert!(matches!(slow, Err(FetchError::TooSlow(WITHIN))), "{slow:?}");
    assert_eq!(began.elapsed(), WITHIN);
}

#[tokio::test]
async fn an_address_that_is_none_is_told() {
    for url in ["", "keys", "ftp://keys.example/", "https://", "https://u:p@keys.example/", "https://keys.example:x/"] {
        let refused = Outbound::new().get_json(url, PRIVATE).await.unwrap_err();
        assert!(matches!(refused, FetchError::Url(_)), "{url}: {refused}");
    }
}

#[tokio::test]
async fn over_tls_only_a_certificate_for_that_name_from_a_trusted_issuer_counts() {
    let ca = |name: &str| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (ca("ours"), ca("other"));
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &ours).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let publisher = Publisher::over(Some(TlsAcceptor::from(Arc::new(config))), json("{}").into_bytes()).await;
    let port = publisher.at.port();
    let (trusted, foreign) =
        (Issuers::from_pem(ours.pem().as_bytes()).unwrap(), Issuers::from_pem(other.pem().as_bytes()).unwrap());
    let with = |issuers| Rules { trusted: Some(issuers), ..PRIVATE };
    let (outbound, _) = knowing(vec![publisher.at]);
    for host in ["localhost", "127.0.0.1"] {
        let document = outbound.get_json(&format!("https://{host}:{port}/"), with(&trusted)).await;
        assert!(document.is_ok(), "{host}: {document:?}");
    }
    let url = format!("https://localhost:{port}/");
    let unknown = outbound.get_json(&url, with(&foreign)).await.unwrap_err();
    assert!(unknown.to_string().contains("(`ca_file`)"), "{unknown}");
    let wrong = outbound.get_json(&format!("https://keys.example:{port}/"), with(&trusted)).await.unwrap_err();
    assert!(matches!(wrong, FetchError::Tls(TlsError::WrongName { .. })), "{wrong}");
    assert_eq!(publisher.asked().len(), 2);
}
