//! The HTTP requests of long-polling: the first, those that wait, and those that bring something.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_auth::{Refusal, layers::handshake::origin::Origins};
use doorward_session::Line;
use doorward_wire::engineio::payload::Payload;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL,
        CONTENT_TYPE, ORIGIN, UPGRADE, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use http_body_util::{BodyExt as _, Full, Limited};
use tokio::time::timeout;

use super::{
    frames::{self, Reads},
    query::{Query, Way},
    session::{NotTaken, Session},
    sessions::Binding,
    talk::Talk,
};
use crate::{
    answer::{Arrived, Visit, arrive, handshake},
    attend::{Attended, Stage, converse},
    door::Door,
    edge::{Body, Came, Head, Pass, refused, respond},
    gates::{Found, Gate, SocketIo},
};

/// How long the body of a POST may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Why a request is not taken, in the numbers and words that clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    UnknownTransport,
    UnknownSession,
    BadMethod,
    BadRequest,
    UnknownRevision,
}

impl Refused {
    fn response(self) -> Response<Body> {
        let (code, message) = match self {
            Self::UnknownTransport => (0, "Transport unknown"),
            Self::UnknownSession => (1, "Session ID unknown"),
            Self::BadMethod => (2, "Bad handshake method"),
            Self::BadRequest => (3, "Bad request"),
            Self::UnknownRevision => (5, "Unsupported protocol version"),
        };
        json(StatusCode::BAD_REQUEST, format!(r#"{{"code":{code},"message":"{message}"}}"#))
    }
}

/// Answers a request of long-polling. Gives the request back where it is for no gate that speaks Socket.IO.
pub(crate) async fn exchange<B>(
    door: &Arc<Door>,
    request: Request<B>,
    peer: SocketAddr,
    over_tls: bool,
    pass: &mut Option<Pass>,
) -> Result<Response<Body>, Request<B>>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if request.headers().contains_key(UPGRADE) {
        return Err(request);
    }
    let Ok(mut head) = Head::read(&request, &door.cookies) else { return Err(request) };
    // Before the gate is looked for, as for an upgrade.
    let as_of = door.sockets.cursor();
    let Some(found) = door.gates.load().find(&head) else { return Err(request) };
    let Found { gate, mut variables, .. } = found;
    let Some(wire) = &gate.socketio else { return Err(request) };
    let came = Came::of(&door.proxies, &head.headers, peer.ip(), over_tls);
    say_own_origin(&mut head, came.tls);
    let allowed = allowed_origin(wire, &head);
    let query = Query::take(&mut variables);
    let response = match (request.method(), &query.sid) {
        (&Method::OPTIONS, _) => preflight(request.headers()),
        _ if query.transport != Some(Way::Polling) || query.script => Refused::UnknownTransport.response(),
        (&Method::GET, None) => match query.revision {
            None => Refused::UnknownRevision.response(),
            Some(revision) => {
                let arrived = arrive(door, came, as_of, pass.take());
                let binding = Binding::of(&gate, came.source, &head);
                let reads = Reads { revision, bytes: !query.base64 };
                let begin = Begin { reads, binding, variables };
                match arrived {
                    Ok(arrived) => begin_session(door, &gate, wire, &head, arrived, begin).await,
                    Err(full) => *full,
                }
            }
        },
        (&Method::GET | &Method::POST, Some(sid)) => {
            let binding = Binding::of(&gate, came.source, &head);
            match query.revision.and_then(|revision| door.sessions.find(sid, revision, &binding)) {
                None => Refused::UnknownSession.response(),
                Some(session) => {
                    // From here on the session's own place counts, not the connection's.
                    drop(pass.take());
                    go_on(&session, request).await.unwrap_or_else(Refused::response)
                }
            }
        }
        _ => Refused::BadMethod.response(),
    };
    Ok(with_origin(response, allowed))
}

/// What a session begins with.
struct Begin {
    reads: Reads,
    binding: Binding,
    variables: BTreeMap<String, String>,
}

/// The handshake layers, and then a session whose climb goes on in a task of its own.
async fn begin_session(
    door: &Arc<Door>,
    gate: &Arc<Gate>,
    wire: &SocketIo,
    head: &Head,
    arrived: Arrived,
    begin: Begin,
) -> Response<Body> {
    let Arrived { came, as_of, pass } = arrived;
    let Begin { reads, binding, variables } = begin;
    let revision = reads.revision;
    let (visit, beginning) = Visit::begin(door, Arc::clone(gate), came.source, as_of, head, variables, came.secure);
    let climb = match handshake(beginning).await {
        Ok(climb) => climb,
        Err(refusal) => return not_let_in(&visit, &refusal),
    };
    let policy = wire.policy(revision);
    let longest = [gate.bytes_before, policy.limits.message];
    let session = door.sessions.begin(&*door.rng, reads, binding, longest);
    let open = Talk::open_packet(
        revision,
        &session.sid,
        &["websocket"],
        (policy.ping_every.unwrap_or_default(), policy.pong_within),
        policy.limits.message as u64,
    );
    let talk = Talk { session: Some(Arc::clone(&session)), ..wire.talk(revision, visit.socket, None) };
    let backend = Arc::clone(&talk.hub) as _;
    let opened = session.payload_of_text(&open);
    let line = Line::new(session, Vec::new(), gate.bytes_before);
    let stage = Stage::Climbing { climb, backend };
    let attended = Attended { visit, pass, stage, voice: Box::new(talk), policy };
    tokio::spawn(converse(Box::new(line), Box::new(attended)));
    answer(opened)
}

fn not_let_in(visit: &Visit, refusal: &Refusal) -> Response<Body> {
    visit.write_down(refusal.into());
    let reason = refusal.close_reason();
    let mut response = refused(reason, visit.trace);
    let body = format!(r#"{{"code":4,"message":"{}"}}"#, reason.sentence());
    *response.body_mut() = Full::from(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A request of a session that there is.
async fn go_on<B>(session: &Session, request: Request<B>) -> Result<Response<Body>, Refused>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if request.method() == Method::POST {
        return bring(session, request).await;
    }
    let (payload, answering) = session.get().await.map_err(not_taken)?;
    let mut response = answer(payload);
    response.extensions_mut().insert(answering);
    Ok(response)
}

/// Takes the body of a POST.
async fn bring<B>(session: &Session, request: Request<B>) -> Result<Response<Body>, Refused>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let post = session.post().map_err(not_taken)?;
    let is_binary = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|sort| sort.as_bytes().eq_ignore_ascii_case(b"application/octet-stream"));
    let body = timeout(BODY_WITHIN, Limited::new(request.into_body(), post.longest()).collect());
    let body = match post.unless_over(body).await.map_err(not_taken)? {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            post.breaks_off();
            return Ok(json(StatusCode::PAYLOAD_TOO_LARGE, r#"{"code":3,"message":"Payload too large"}"#.to_owned()));
        }
        Err(_) => {
            post.breaks_off();
            return Err(Refused::BadRequest);
        }
    };
    let packets = match frames::packets(session.revision(), is_binary, &body) {
        Ok(packets) => packets,
        Err(error) => {
            tracing::debug!(%error, "a payload was malformed");
            post.breaks_off();
            return Err(Refused::BadRequest);
        }
    };
    post.brings(&packets).await.map_err(not_taken)?;
    Ok(answer(Payload::Text("ok".to_owned())))
}

/// To its client the session is gone, whatever it is.
fn not_taken(why: NotTaken) -> Refused {
    tracing::debug!(%why, "a request of a session is not taken");
    Refused::UnknownSession
}

/// A browser does not name the page where it is of the same host, but says that it is: to the handshake layers that is as good.
fn say_own_origin(head: &mut Head, tls: bool) {
    let same = head.headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"same-origin");
    if head.origin.is_none() && same {
        let scheme = if tls { "https" } else { "http" };
        head.origin = Some(format!("{scheme}://{}", head.host).into_bytes());
    }
}

/// The origin of the page, where it is another one and may read what is answered.
fn allowed_origin(wire: &SocketIo, head: &Head) -> Option<HeaderValue> {
    let named = head.headers.get(ORIGIN)?;
    let text = named.to_str().ok()?;
    let origins: &Origins = &wire.origins;
    origins.admit(Some(text), head.host_name(), head.host_port()).is_ok().then(|| named.clone())
}

fn with_origin(mut response: Response<Body>, allowed: Option<HeaderValue>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

/// What a browser asks before it lets a page of another origin send headers of its own.
fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allow = response.headers_mut();
    allow.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    allow.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(asked) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        allow.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

fn answer(payload: Payload) -> Response<Body> {
    let sort = HeaderValue::from_static(payload.content_type());
    let mut response = Response::new(Full::from(payload.into_bytes()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, sort);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // In a payload stands what others have said; no browser is to find a page in it.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    let mut response = respond::plain(status, body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
