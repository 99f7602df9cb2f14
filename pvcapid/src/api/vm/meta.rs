//! `GET` and `POST /vm/{vm}/meta`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::{Message, VmMeta};
use pvc_common::state::{MigrationMethod, Selector};
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::{changeable, existing};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, MetaWish};
use crate::fetch;
use crate::image::meta;

/// Shows how a VM is placed and moved.
#[utoipa::path(get, path = "/api/v1/vm/{vm}/meta", operation_id = "vm_meta", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID")),
    responses((status = 200, body = VmMeta), (status = 404, description = "No such VM")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<VmMeta>, ApiError> {
    Ok(Json(meta(existing(&*app.view()?, &name)?.vm())))
}

/// Arguments of a change; what is not given stays as it is.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// The nodes it may run on, with commas or repeated; empty for any.
    limit: Option<Vec<String>>,
    /// `mem`, `memprov`, `vcpus`, `load`, `vms`, or `none` for the cluster's default.
    #[param(value_type = Option<String>)]
    selector: Option<Option<Selector>>,
    /// Whether it starts when its node becomes ready.
    autostart: Option<bool>,
    /// The provisioner profile it was made from.
    profile: Option<String>,
    /// `live`, `shutdown`, or `none` for live before shutdown.
    #[param(value_type = Option<String>)]
    migration_method: Option<Option<MigrationMethod>>,
    /// Longest stop in a live migration, in milliseconds.
    migration_max_downtime: Option<u64>,
}

impl SetArgs {
    fn parse(args: &Args) -> Result<Self, ApiError> {
        Ok(Self {
            limit: args.list("limit"),
            selector: args.preference("selector")?,
            autostart: args.switch("autostart")?,
            profile: args.text("profile").map(str::to_owned),
            migration_method: args.preference("migration_method")?,
            migration_max_downtime: args.number("migration_max_downtime")?,
        })
    }

    fn wish(self) -> MetaWish {
        MetaWish {
            limit: self.limit,
            selector: self.selector,
            autostart: self.autostart,
            profile: self.profile,
            method: self.migration_method,
            max_downtime_ms: self.migration_max_downtime,
        }
    }
}

/// Changes how a VM is placed and moved.
#[utoipa::path(post, path = "/api/v1/vm/{vm}/meta", operation_id = "vm_set_meta", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "Bad argument")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wish = SetArgs::parse(&args)?.wish();
    let view = app.view()?;
    let target = changeable(&view, &name)?;
    let done = apply(&app, || async {
        let vm = target.read(&app).await?;
        let profile = fetch::one(app.store(), &key::vm_profile(target.uuid)).await?;
        change::set_meta(target.uuid, &target.name, &vm, &profile, &view, &wish)
    });
    Ok(Json(Message::new(done.await?)))
}
