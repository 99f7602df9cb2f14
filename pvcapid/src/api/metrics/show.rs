//! `GET /metrics` and the pages it is made of

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{health, resource};
use crate::api::ApiError;
use crate::app::App;
use crate::exporter::Exporter;
use crate::image::View;

/// How Prometheus knows the format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics, in the text format of Prometheus; those of Ceph and ZooKeeper if they are told.
#[utoipa::path(get, path = "/api/v1/metrics", operation_id = "metrics", tag = "metrics",
    security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn everything(State(app): State<App>) -> Result<Response, ApiError> {
    let ours = page(&app, |view| health::page(view) + &resource::page(view)).await?;
    let (ceph, zookeeper) =
        tokio::join!(told(&app, Exporter::Ceph), told(&app, Exporter::ZooKeeper));
    let told = [ceph, zookeeper].into_iter().filter_map(|told| {
        told.inspect_err(|why| tracing::debug!("metrics of others are left out: {why}")).ok()
    });
    Ok(shown(ours + &told.collect::<String>()))
}

/// How the cluster is: states, health and numbers of its objects.
#[utoipa::path(get, path = "/api/v1/metrics/health", operation_id = "metrics_health",
    tag = "metrics", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn health(State(app): State<App>) -> Result<Response, ApiError> {
    page(&app, health::page).await.map(shown)
}

/// What the cluster, its nodes, VMs and storage have and use.
#[utoipa::path(get, path = "/api/v1/metrics/resource", operation_id = "metrics_resource",
    tag = "metrics", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn resource(State(app): State<App>) -> Result<Response, ApiError> {
    page(&app, resource::page).await.map(shown)
}

/// What Ceph's active manager tells, whose module `prometheus` must be enabled.
#[utoipa::path(get, path = "/api/v1/metrics/ceph", operation_id = "metrics_ceph", tag = "metrics",
    security(()), responses((status = 200, body = String, content_type = "text/plain"),
        (status = 503, description = "It does not answer")))]
pub(super) async fn ceph(State(app): State<App>) -> Result<Response, ApiError> {
    let missing = |why| ApiError::unavailable("Ceph's active manager tells no metrics.", why);
    told(&app, Exporter::Ceph).await.map(shown).map_err(missing)
}

/// What the ZooKeeper exporter of the primary tells, which must be installed.
#[utoipa::path(get, path = "/api/v1/metrics/zookeeper", operation_id = "metrics_zookeeper",
    tag = "metrics", security(()),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 503, description = "It does not answer")))]
pub(super) async fn zookeeper(State(app): State<App>) -> Result<Response, ApiError> {
    let missing =
        |why| ApiError::unavailable("The primary's ZooKeeper exporter tells no metrics.", why);
    told(&app, Exporter::ZooKeeper).await.map(shown).map_err(missing)
}

/// What an exporter tells, or why it does not.
async fn told(app: &App, exporter: Exporter) -> Result<String, String> {
    let view = app.view().map_err(|error| error.to_string())?;
    app.exporters().page(exporter, &view).await
}

fn shown(text: String) -> Response {
    ([(CONTENT_TYPE, FORMAT)], text).into_response()
}

/// Renders apart from other requests: a page of thousands of VMs takes a while.
async fn page(app: &App, render: fn(&View) -> String) -> Result<String, ApiError> {
    let turn = app.measuring().await;
    let view: Arc<View> = app.view()?;
    let rendering = tokio::task::spawn_blocking(move || {
        let text = render(&view);
        // Whoever asked may have gone; only now it is the next one's turn.
        drop(turn);
        text
    });
    rendering.await.map_err(|error| ApiError::internal(&error))
}
