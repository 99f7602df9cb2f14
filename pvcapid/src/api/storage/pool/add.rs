//! `POST /storage/ceph/pool` and `POST /storage/ceph/pool/{pool}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_ceph::{NewPool, Replication};
use pvc_common::api::Message;
use pvc_common::state::{Tier, Word};
use utoipa::IntoParams;

use super::pgs;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::change::storage::new_name;
use crate::storage;

/// Arguments of a new pool.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AddArgs {
    /// How many placement groups it gets: a power of two.
    pgs: u32,
    /// How many copies it keeps, and how many it must have to be written to:
    /// `copies=3,mincopies=2`.
    #[param(value_type = String)]
    replcfg: Replication,
    /// Which devices it uses; any by default.
    #[param(value_type = Option<String>)]
    tier: Tier,
}

impl AddArgs {
    fn read(args: &Args) -> Result<Self, ApiError> {
        let words: Vec<(&str, Tier)> = Tier::ALL.iter().map(|tier| (tier.text(), *tier)).collect();
        let replcfg = args.required("replcfg")?.parse();
        Ok(Self {
            pgs: pgs(args)?,
            replcfg: replcfg.map_err(|bad: pvc_ceph::BadReplication| {
                ApiError::argument("replcfg", bad.to_string())
            })?,
            tier: args.choice("tier", &words)?.unwrap_or(Tier::Default),
        })
    }
}

/// Makes a pool.
#[utoipa::path(post, path = "/api/v1/storage/ceph/pool", operation_id = "pool_add",
    tag = "storage", params(("pool" = String, Query, description = "Its name"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not made"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn add(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let name = args.required("pool")?.to_owned();
    make(&app, &name, &args).await
}

/// Makes a pool of this name.
#[utoipa::path(post, path = "/api/v1/storage/ceph/pool/{pool}", operation_id = "pool_add_named",
    tag = "storage", params(("pool" = String, Path, description = "Its name"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not made"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn add_named(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    make(&app, &name, &args).await
}

async fn make(app: &App, name: &str, args: &Args) -> Result<Json<Message>, ApiError> {
    let AddArgs { pgs, replcfg: replication, tier } = AddArgs::read(args)?;
    let pool = NewPool { name: new_name("pool", name)?, pgs, replication, tier };
    Ok(Json(Message::new(storage::create_pool(app, pool).await?)))
}
