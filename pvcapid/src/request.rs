//! What happens around every request: it gets a number, a span and a line in the log; of those that only
//! ask, in the debug log.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use crate::app::App;
use crate::auth::Caller;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The number of the request that is being answered by this task; `None` outside of one.
pub(crate) fn id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// Lets a request that comes while the cluster is being read wait for a moment.
pub(crate) async fn when_ready(State(app): State<App>, request: Request, next: Next) -> Response {
    app.ready().await;
    next.run(request).await
}

/// How much of a path is logged: no name is nearly as long.
const SHOWN: usize = 300;

/// Numbers the request and logs it. Arguments and bodies are not logged: they may hold secrets.
pub(crate) async fn trace(mut request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().simple().to_string()[..12].to_owned();
    let mut entry = Entry {
        method: request.method().clone(),
        path: request.uri().path().chars().take(SHOWN).collect(),
        caller: Caller::of(request.extensions()),
        begun: Instant::now(),
        status: None,
    };
    request.extensions_mut().insert(entry.caller.clone());
    let span = tracing::info_span!(
        "request",
        method = %entry.method,
        path = entry.path,
        request.id = %id
    );
    let answer = async {
        let response = next.run(request).await;
        entry.status = Some(response.status().as_u16());
        drop(entry);
        response
    };
    REQUEST_ID.scope(id, answer.instrument(span)).await
}

/// A request's line in the log: who asked for what, and what became of it. It is written at the end, also
/// if that is that the client went away: what was asked for may be done all the same.
struct Entry {
    method: Method,
    path: String,
    caller: Caller,
    begun: Instant,
    status: Option<u16>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Self { method, path, caller, begun, status } = self;
        let ms = begun.elapsed().as_millis();
        let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
            tracing::debug!("{method} {path} by {caller} -> {status} in {ms} ms");
        } else {
            tracing::info!("{method} {path} by {caller} -> {status} in {ms} ms");
        }
    }
}
