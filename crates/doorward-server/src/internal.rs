//! The internal port: the HTTP API, and the operator's probes. It is not for users.

use std::{convert::Infallible, sync::Arc, time::Duration};

use doorward_web::manage::Api;
use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::{
    door::Door,
    edge::{Body, host, respond},
    operate::Standing,
};

/// Answers `/api/v1/`, `/health` (it runs), `/ready` (it lets people in) and `/metrics` until it is dropped.
pub(crate) async fn serve(listener: TcpListener, door: Arc<Door>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let door = Arc::clone(&door);
                async move {
                    Ok::<_, Infallible>(match &door.api {
                        Some(api) if Api::takes(request.uri().path()) => match host(&request) {
                            Ok(_) => api.answer(request).await,
                            Err(why) => respond::malformed(why),
                        },
                        _ => answer(&door, request.uri().path().to_owned()).await,
                    })
                }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(5))
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "no proper request on the internal port");
            }
        });
    }
}

/// That it lets people in, and by which gates they stay in while nobody knows whether their logins have ended.
fn ready(door: &Door) -> String {
    let open = door.failing_open(None);
    let open = if open.is_empty() { String::new() } else { format!("failing open: {}\n", open.join(", ")) };
    format!("ready\n{open}")
}

async fn answer(door: &Arc<Door>, path: String) -> Response<Body> {
    match path.as_str() {
        "/health" => respond::json(door.health().to_string()),
        "/ready" => match door.standing() {
            Standing::Works => respond::plain(StatusCode::OK, ready(door)),
            Standing::Fails => respond::plain(StatusCode::SERVICE_UNAVAILABLE, "the audit log takes no rows\n"),
            Standing::Astray => respond::plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the file of the store is not there any more, or another is in its place\n",
            ),
            Standing::Draining => respond::plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        },
        "/metrics" => metrics(Arc::clone(door)).await,
        _ => respond::not_found(),
    }
}

/// Every live socket is counted for them, where that keeps nobody waiting.
async fn metrics(door: Arc<Door>) -> Response<Body> {
    match tokio::task::spawn_blocking(move || door.metrics().text(&door)).await {
        Ok(text) => respond::metrics(text),
        Err(_) => respond::plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be read\n"),
    }
}
