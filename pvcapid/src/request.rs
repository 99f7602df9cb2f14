//! What happens around every request: it gets a number, a span and a line in the debug log.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use crate::app::App;

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

/// Numbers the request and logs it. Arguments are not logged: they may hold secrets.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().simple().to_string()[..12].to_owned();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let span = tracing::info_span!(
        "request",
        %method,
        path,
        request.id = %id
    );
    let begun = Instant::now();
    let answer = async {
        let response = next.run(request).await;
        tracing::debug!(
            status = response.status().as_u16(),
            ms = begun.elapsed().as_millis(),
            "{method} {path} -> {} in {} ms",
            response.status().as_u16(),
            begun.elapsed().as_millis()
        );
        response
    };
    REQUEST_ID.scope(id, answer.instrument(span)).await
}
