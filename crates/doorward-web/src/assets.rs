//! The files that pages need: in the program itself, under names that change with what they hold, so that a browser may keep them.

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use bytes::Bytes;
use http::{
    HeaderValue, Uri,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use std::sync::Arc;

use crate::{cookies::hash, desk::Desk, sorry::Sorry};

/// A year, and never asked for again.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Five minutes: the name stays when the content changes.
const SHORTLY: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Stem, end, kind and content of each file.
const FILES: [(&str, &str, &str, &[u8]); 5] = [
    ("site", "css", "text/css; charset=utf-8", include_bytes!("../assets/site.css")),
    ("site", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/site.js")),
    ("htmx", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/htmx.min.js")),
    ("logo", "svg", "image/svg+xml", include_bytes!("../assets/logo.svg")),
    ("icon", "svg", "image/svg+xml", include_bytes!("../assets/icon.svg")),
];

/// The JavaScript clients and the try-it page, under names that other pages write too.
const CLIENT: [(&str, &str, &[u8]); 8] = [
    ("/doorward.js", "text/javascript; charset=utf-8", include_bytes!("../../../clients/js/dist/doorward.js")),
    ("/ninep.js", "text/javascript; charset=utf-8", include_bytes!("../../../clients/js/dist/ninep.js")),
    ("/assets/try/try.js", "text/javascript; charset=utf-8", include_bytes!("../../../clients/js/try/try.js")),
    ("/assets/try/chat.js", "text/javascript; charset=utf-8", include_bytes!("../../../clients/js/try/chat.js")),
    ("/assets/try/element.js", "text/javascript; charset=utf-8", include_bytes!("../../../clients/js/try/element.js")),
    (
        "/assets/try/question.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../../clients/js/try/question.js"),
    ),
    ("/assets/try/words.js", "text/javascript; charset=utf-8", include_bytes!("../../../clients/js/try/words.js")),
    ("/assets/try/try.css", "text/css; charset=utf-8", include_bytes!("../../../clients/js/try/try.css")),
];

/// Where the files are.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    pub(crate) css: String,
    pub(crate) script: String,
    pub(crate) htmx: String,
    pub(crate) logo: String,
    pub(crate) icon: String,
}

impl Assets {
    pub(crate) fn new() -> Self {
        let [css, script, htmx, logo, icon] = FILES.map(|file| format!("/assets/{}", name(&file)));
        Self { css, script, htmx, logo, icon }
    }
}

/// Whether an address is a file's: the same for everybody, so that nobody is asked who they are.
pub(crate) fn is_file(path: &str) -> bool {
    matches!(path, "/doorward.js" | "/ninep.js") || path.starts_with("/assets/")
}

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/assets/{name}", get(file))
        .route("/assets/try/{name}", get(client))
        .route("/doorward.js", get(client))
        .route("/ninep.js", get(client))
}

async fn file(State(_): State<Arc<Desk>>, Path(asked): Path<String>) -> Result<Response, Sorry> {
    let found = FILES.iter().find(|file| name(file) == asked).ok_or(Sorry::NotFound)?;
    let (_, _, kind, content) = *found;
    Ok(answer(kind, content, FOR_EVER))
}

async fn client(address: Uri) -> Result<Response, Sorry> {
    let found = CLIENT.iter().find(|(path, _, _)| *path == address.path()).ok_or(Sorry::NotFound)?;
    let (_, kind, content) = *found;
    Ok(answer(kind, content, SHORTLY))
}

fn answer(kind: &'static str, content: &'static [u8], kept: HeaderValue) -> Response {
    let mut response = Response::new(Bytes::from_static(content).into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, kept);
    response
}

/// `site.1f2e3d4c.css`: the first four bytes of the content's SHA-256.
fn name((stem, end, _, content): &(&str, &str, &str, &[u8])) -> String {
    let [a, b, c, d, ..] = hash(content);
    format!("{stem}.{a:02x}{b:02x}{c:02x}{d:02x}.{end}")
}
