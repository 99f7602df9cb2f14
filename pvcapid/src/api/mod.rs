//! The route table: every address that is answered, and who may ask.

mod args;
mod cluster;
mod document;
mod error;
mod fault;
mod fence;
mod ignored;
mod limit;
mod metrics;
mod network;
mod node;
mod session;
mod sriov;
mod storage;
mod task;
mod vm;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Router, middleware};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

pub use error::ApiError;

use crate::app::App;
use crate::{auth, request};

/// Where the document is served.
const DOCUMENT_PATH: &str = "/api/v1/openapi.json";
/// Where the document can be browsed.
const PAGE_PATH: &str = "/api/v1/docs";
/// The largest body of a request, but for a restoration: no definition is nearly as large.
const BODY_LIMIT: usize = 4 << 20;
/// The largest backup that can be restored: ten times that of 10,000 VMs.
const RESTORE_LIMIT: usize = 512 << 20;

/// What everybody may ask, and is answered without a look at the cluster.
fn greeting() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cluster::root::root))
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
}

/// What everybody may ask.
fn open() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(cluster::primary_node::show_primary_node))
}

/// What only those may ask who are admitted.
fn guarded() -> OpenApiRouter<App> {
    let restore = OpenApiRouter::new()
        .routes(routes!(cluster::restore::restore))
        .layer(DefaultBodyLimit::max(RESTORE_LIMIT));
    // A file is as large as the volume that it is for, and never held.
    let upload = OpenApiRouter::new()
        .routes(routes!(storage::volume::upload::upload))
        .layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .routes(routes!(cluster::initialize::initialize))
        .routes(routes!(cluster::backup::backup))
        .routes(routes!(cluster::status::show_status, cluster::maintenance::set_maintenance))
        .routes(routes!(fault::list::list, fault::acknowledge::all, fault::delete::all))
        .routes(routes!(fault::show::show, fault::acknowledge::one, fault::delete::one))
        .routes(routes!(fence::list::list))
        .routes(routes!(fence::show::show))
        .routes(routes!(task::list::list))
        .routes(routes!(task::show::show))
        .routes(routes!(node::list::list))
        .routes(routes!(node::show::show))
        .routes(routes!(node::daemon_state::show))
        .routes(routes!(node::coordinator_state::show, node::coordinator_state::set))
        .routes(routes!(node::domain_state::show, node::domain_state::set))
        .routes(routes!(node::log::show))
        .routes(routes!(node::fence::order))
        .routes(routes!(vm::list::list, vm::define::define))
        .routes(routes!(
            vm::show::show,
            vm::define::define_named,
            vm::modify::modify,
            vm::remove::remove
        ))
        .routes(routes!(vm::meta::show, vm::meta::set))
        .routes(routes!(vm::tag::show, vm::tag::set))
        .routes(routes!(vm::state::show, vm::state::set))
        .routes(routes!(vm::node::show, vm::node::set))
        .routes(routes!(vm::console::show))
        .routes(routes!(vm::locks::flush))
        .routes(routes!(vm::device::attach, vm::device::detach))
        .routes(routes!(vm::rename::rename))
        .merge(network())
        .merge(sriov())
        .merge(storage())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .merge(restore)
        .merge(upload)
}

/// What is asked about client networks, by those who are admitted.
fn network() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(network::list::list, network::add::add))
        .routes(routes!(
            network::show::show,
            network::add::add_numbered,
            network::modify::modify,
            network::remove::remove
        ))
        .routes(routes!(network::lease::list::list, network::lease::add::add))
        .routes(routes!(
            network::lease::show::show,
            network::lease::add::add_named,
            network::lease::remove::remove
        ))
        .routes(routes!(network::acl::list::list, network::acl::add::add))
        .routes(routes!(
            network::acl::show::show,
            network::acl::add::add_named,
            network::acl::remove::remove
        ))
}

/// What is asked about SR-IOV functions, by those who are admitted.
fn sriov() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sriov::root::root))
        .routes(routes!(sriov::pf::list::list))
        .routes(routes!(sriov::pf::list::list_of_node))
        .routes(routes!(sriov::vf::list::list))
        .routes(routes!(sriov::vf::list::list_of_node))
        .routes(routes!(sriov::vf::show::show, sriov::vf::set::set))
}

/// What is asked about the storage, by those who are admitted.
fn storage() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(storage::root::root))
        .routes(routes!(storage::root::ceph))
        .routes(routes!(storage::benchmark::list::list, storage::benchmark::run::run))
        .routes(routes!(storage::text::status))
        .routes(routes!(storage::text::utilization))
        .routes(routes!(storage::osd::list::list, storage::osd::add::add))
        .routes(routes!(storage::osd::database::add_group))
        .routes(routes!(
            storage::osd::show::show,
            storage::osd::replace::replace,
            storage::osd::refresh::refresh,
            storage::osd::remove::remove
        ))
        .routes(routes!(storage::osd::state::show, storage::osd::state::set))
        .routes(routes!(storage::option::set))
        .routes(routes!(storage::pool::list::list, storage::pool::add::add))
        .routes(routes!(
            storage::pool::show::show,
            storage::pool::add::add_named,
            storage::pool::set_pgs::set_pgs,
            storage::pool::remove::remove
        ))
        .routes(routes!(storage::volume::list::list, storage::volume::add::add))
        .routes(routes!(
            storage::volume::show::show,
            storage::volume::add::add_named,
            storage::volume::modify::modify,
            storage::volume::remove::remove
        ))
        .routes(routes!(storage::volume::scan::scan))
        .routes(routes!(storage::volume::clone::clone))
        .routes(routes!(storage::snapshot::list::list, storage::snapshot::add::add))
        .routes(routes!(
            storage::snapshot::show::show,
            storage::snapshot::add::add_named,
            storage::snapshot::rename::rename,
            storage::snapshot::remove::remove
        ))
        .routes(routes!(storage::snapshot::roll_back::roll_back))
}

/// The description of everything that is answered.
#[must_use]
pub fn openapi() -> OpenApi {
    let router = OpenApiRouter::with_openapi(document::head());
    let router = router.merge(greeting()).merge(open()).merge(metrics::routes());
    router.merge(guarded()).into_openapi()
}

/// Answers everything, metrics only if `prometheus` is to have them.
pub fn router(app: App, prometheus: bool) -> Router {
    let guard = middleware::from_fn_with_state(app.clone(), auth::require);
    let ready = middleware::from_fn_with_state(app.clone(), request::when_ready);
    let metrics = if prometheus { metrics::routes() } else { OpenApiRouter::new() };
    let routes = open().merge(metrics).merge(guarded().route_layer(guard)).route_layer(ready);
    let (answers, _) = greeting().merge(routes).split_for_parts();
    Router::new()
        .route("/api/v1", get(async || Redirect::permanent("/api/v1/")))
        .merge(answers)
        .merge(SwaggerUi::new(PAGE_PATH).url(DOCUMENT_PATH, openapi()))
        .fallback(async || ApiError::no_route(StatusCode::NOT_FOUND, "There is no such endpoint."))
        .method_not_allowed_fallback(async || {
            let message = "The endpoint does not know this method.";
            ApiError::no_route(StatusCode::METHOD_NOT_ALLOWED, message)
        })
        .layer(middleware::from_fn(ignored::tell))
        .layer(middleware::from_fn(request::trace))
        .with_state(app)
}
