//! `POST /network/{vni}/acl` and `POST /network/{vni}/acl/{description}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::zk::key::Direction;
use utoipa::IntoParams;

use super::DIRECTIONS;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::network::checked;
use crate::app::App;
use crate::apply::apply;
use crate::change::network::{NewRule, add_rule, find, parse};
use crate::fetch;

/// Arguments of a firewall rule.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AddArgs {
    /// What it matches and what becomes of that, in the language of nft: `tcp dport 22 accept`.
    rule: String,
    /// `in` (the default) for what enters the network, `out` for what leaves it.
    #[param(value_type = Option<String>)]
    direction: Direction,
    /// How many rules of its direction are before it; the last by default.
    order: Option<u32>,
}

impl AddArgs {
    fn read(args: &Args) -> Result<Self, ApiError> {
        Ok(Self {
            rule: checked("rule", parse::rule_text(args.required("rule")?))?,
            direction: args.choice("direction", &DIRECTIONS)?.unwrap_or(Direction::In),
            order: args.number("order")?,
        })
    }
}

/// Adds a firewall rule to a network.
#[utoipa::path(post, path = "/api/v1/network/{vni}/acl", operation_id = "network_acl_add",
    tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("description" = String, Query, description = "Its name, unique in the network"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not added")))]
pub(in crate::api) async fn add(
    State(app): State<App>,
    Path(network): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let description = args.required("description")?.to_owned();
    put(&app, &network, &description, &args).await
}

/// Adds a firewall rule of this description to a network.
#[utoipa::path(post, path = "/api/v1/network/{vni}/acl/{description}",
    operation_id = "network_acl_add_named", tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("description" = String, Path, description = "Its name, unique in the network"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not added")))]
pub(in crate::api) async fn add_named(
    State(app): State<App>,
    Path((network, description)): Path<(String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    put(&app, &network, &description, &args).await
}

async fn put(
    app: &App,
    network: &str,
    description: &str,
    args: &Args,
) -> Result<Json<Message>, ApiError> {
    let name = checked("description", parse::rule_name(description))?;
    let AddArgs { rule: text, direction, order } = AddArgs::read(args)?;
    find(&*app.view()?, network)?;
    app.rules().check(&text, direction).await?;
    let new = NewRule { name, text, direction, order };
    let done = apply(app, || async {
        let vni = find(&*app.view()?, network)?;
        add_rule(&fetch::network(app.store(), vni).await?, &new)
    });
    Ok(Json(Message::new(done.await?)))
}
