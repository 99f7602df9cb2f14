//! `GET /metrics`, `GET /metrics/health` and `GET /metrics/resource`

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{health, resource};
use crate::api::ApiError;
use crate::app::App;
use crate::image::View;

/// How Prometheus knows the format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics, in the text format of Prometheus.
#[utoipa::path(get, path = "/api/v1/metrics", operation_id = "metrics", tag = "metrics",
    security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn everything(State(app): State<App>) -> Result<Response, ApiError> {
    page(&app, |view| health::page(view) + &resource::page(view)).await
}

/// How the cluster is: states, health and numbers of its objects.
#[utoipa::path(get, path = "/api/v1/metrics/health", operation_id = "metrics_health",
    tag = "metrics", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn health(State(app): State<App>) -> Result<Response, ApiError> {
    page(&app, health::page).await
}

/// What the cluster, its nodes, VMs and storage have and use.
#[utoipa::path(get, path = "/api/v1/metrics/resource", operation_id = "metrics_resource",
    tag = "metrics", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn resource(State(app): State<App>) -> Result<Response, ApiError> {
    page(&app, resource::page).await
}

/// Renders apart from other requests: a page of thousands of VMs takes a while.
async fn page(app: &App, render: fn(&View) -> String) -> Result<Response, ApiError> {
    let turn = app.measuring().await;
    let view: Arc<View> = app.view()?;
    let rendering = tokio::task::spawn_blocking(move || {
        let text = render(&view);
        // Whoever asked may have gone; only now it is the next one's turn.
        drop(turn);
        text
    });
    let text = rendering.await.map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, FORMAT)], text).into_response())
}
