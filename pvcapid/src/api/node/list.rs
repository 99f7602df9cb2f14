//! `GET /node`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Node;
use utoipa::IntoParams;

use super::{listed, taken};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::node;

/// Arguments of a list of nodes; a node is listed if all that are given fit.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the name matches.
    limit: Option<String>,
    /// The state of the daemon.
    daemon_state: Option<String>,
    /// The part in the coordination.
    coordinator_state: Option<String>,
    /// Whether it takes VMs.
    domain_state: Option<String>,
}

impl ListArgs {
    fn parse(args: &Args) -> Self {
        let text = |name| args.text(name).map(str::to_owned);
        Self {
            limit: text("limit"),
            daemon_state: text("daemon_state"),
            coordinator_state: text("coordinator_state"),
            domain_state: text("domain_state"),
        }
    }

    fn fit(&self, node: &Node) -> bool {
        let fits = |wanted: &Option<String>, state: &String| {
            wanted.as_ref().is_none_or(|wanted| wanted == state)
        };
        fits(&self.daemon_state, &node.daemon_state)
            && fits(&self.coordinator_state, &node.coordinator_state)
            && fits(&self.domain_state, &node.domain_state)
    }
}

/// Lists nodes, by name.
#[utoipa::path(get, path = "/api/v1/node", operation_id = "node_list", tag = "node",
    params(ListArgs),
    responses((status = 200, body = [Node]), (status = 400, description = "Bad expression"),
        (status = 404, description = "No such node")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<Node>>, ApiError> {
    let wanted = ListArgs::parse(&args);
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let view = app.view()?;
    let nodes = taken(&view, limit.as_ref()).filter_map(|name| view.nodes.get_key_value(name));
    let nodes = nodes.map(|(name, facts)| node(name, facts, &view));
    listed(nodes.filter(|node| wanted.fit(node)).collect())
}
