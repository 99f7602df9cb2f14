//! `POST /vm` and `POST /vm/{vm}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::{BadId, TagName};
use pvc_common::state::{MigrationMethod, Selector};
use pvc_domxml::{Definition, validate_definition};
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, NewVm, checked_limit};
use crate::image::View;

/// Arguments of a new VM.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct DefineArgs {
    /// Libvirt domain XML. Send it in a form.
    xml: String,
    /// The node it is assigned to; the best one if it is not given.
    node: Option<String>,
    /// The nodes it may run on, with commas or repeated; any if it is not given.
    limit: Option<Vec<String>>,
    /// `mem`, `memprov`, `vcpus`, `load`, `vms`, or `none` for the cluster's default.
    #[param(value_type = Option<String>)]
    selector: Option<Selector>,
    /// Whether it starts when its node becomes ready.
    #[param(required = false)]
    autostart: bool,
    /// `live`, `shutdown`, or `none` for live before shutdown.
    #[param(value_type = Option<String>)]
    migration_method: Option<MigrationMethod>,
    /// Longest stop in a live migration, in milliseconds; 300 if it is not given.
    migration_max_downtime: Option<u64>,
    /// Tags; may be repeated.
    #[param(required = false)]
    user_tags: Vec<String>,
    /// Tags that cannot be removed; may be repeated.
    #[param(required = false)]
    protected_tags: Vec<String>,
}

impl DefineArgs {
    fn parse(args: &Args) -> Result<Self, ApiError> {
        Ok(Self {
            xml: args.required("xml")?.to_owned(),
            node: args.text("node").filter(|node| !node.is_empty()).map(str::to_owned),
            limit: args.list("limit"),
            selector: args.preference("selector")?.flatten(),
            autostart: args.flag("autostart"),
            migration_method: args.preference("migration_method")?.flatten(),
            migration_max_downtime: args.number("migration_max_downtime")?,
            user_tags: args.texts("user_tags"),
            protected_tags: args.texts("protected_tags"),
        })
    }

    fn wish(&self, view: &View) -> Result<NewVm, ApiError> {
        let mut tags = Vec::new();
        for (texts, protected) in [(&self.protected_tags, true), (&self.user_tags, false)] {
            for text in texts {
                let tag: TagName = text
                    .parse()
                    .map_err(|bad: BadId| ApiError::argument("tag", bad.to_string()))?;
                if tags.iter().all(|(known, _)| *known != tag) {
                    tags.push((tag, protected));
                }
            }
        }
        Ok(NewVm {
            node: self.node.clone(),
            limit: checked_limit(self.limit.as_deref().unwrap_or_default(), view)?,
            selector: self.selector,
            autostart: self.autostart,
            method: self.migration_method,
            max_downtime_ms: self.migration_max_downtime,
            tags,
        })
    }
}

/// The definition that a text is, or why it is none.
pub(super) fn definition(xml: &str) -> Result<Definition, ApiError> {
    validate_definition(xml).map_err(|error| {
        ApiError::refused("bad-xml", format!("ERROR: The VM definition is not valid: {error}"))
    })
}

/// Creates a VM, which is stopped.
#[utoipa::path(post, path = "/api/v1/vm", operation_id = "vm_define", tag = "vm",
    params(DefineArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not created")))]
pub(in crate::api) async fn define(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = DefineArgs::parse(&args)?;
    let definition = definition(&wanted.xml)?;
    let naming = app.naming().await;
    let done = apply(&app, || async {
        let view = app.view()?;
        change::define(&wanted.xml, &definition, &wanted.wish(&view)?, &view)
    });
    let done = done.await?;
    drop(naming);
    Ok(Json(Message::new(done)))
}

/// Creates a VM, whose name is that in its definition whatever the path says.
#[utoipa::path(post, path = "/api/v1/vm/{vm}", operation_id = "vm_define_named", tag = "vm",
    params(("vm" = String, Path, description = "Not used"), DefineArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not created")))]
pub(in crate::api) async fn define_named(
    app: State<App>,
    Path(_name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    define(app, args).await
}
