//! What Prometheus scrapes: the cluster as numbers.
//!
//! Pages are pure functions from the view to text. A figure that nobody published (the memory
//! statistics of a stopped VM, the health of a node that was never checked) has no line, rather
//! than a zero that would look like a measurement.

mod attached;
mod cluster;
mod fence;
mod health;
mod network;
mod node;
mod osd;
mod pool;
mod resource;
mod show;
mod text;
mod vm;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The pages, which everybody may ask for.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show::everything))
        .routes(routes!(show::health))
        .routes(routes!(show::resource))
        .routes(routes!(show::ceph))
        .routes(routes!(show::zookeeper))
}
