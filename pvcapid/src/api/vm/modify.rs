//! `PUT /vm/{vm}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::model::VmFunction;
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::define::definition;
use super::{Target, changeable};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, Definable};
use crate::fetch;

/// Arguments of a change of definition.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ModifyArgs {
    /// Libvirt domain XML. Send it in a form.
    xml: String,
    /// The definition that `xml` was made of, as it was shown: if it is another by now, nothing is
    /// changed. Send it in a form.
    old_xml: Option<String>,
    /// Whether to restart the VM, if it is started, for this to take effect.
    #[param(required = false)]
    restart: bool,
}

/// Replaces a VM's definition, which takes effect at its next start.
#[utoipa::path(put, path = "/api/v1/vm/{vm}", operation_id = "vm_modify", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), ModifyArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not changed"),
        (status = 409, description = "Changed by somebody else meanwhile")))]
pub(in crate::api) async fn modify(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = ModifyArgs {
        xml: args.required("xml")?.to_owned(),
        old_xml: args.text("old_xml").map(str::to_owned),
        restart: args.flag("restart"),
    };
    let definition = definition(&wanted.xml)?;
    let view = app.view()?;
    let target = changeable(&view, &name)?;
    // No two VMs get the same function of a card or the same hardware address at once: each waits
    // until the view shows the other.
    let has_functions = !VmFunction::of_definition(&wanted.xml).is_empty();
    let has_interfaces = !definition.description.networks.is_empty();
    let alone = if has_functions || has_interfaces { Some(app.naming().await) } else { None };
    let done = apply(&app, || async {
        let was = definable(&app, &target).await?;
        change::unchanged(&was, wanted.old_xml.as_deref())?;
        let view = app.view()?;
        change::modify(target.uuid, &was, &wanted.xml, &definition, wanted.restart, &view)
    });
    let done = done.await?;
    drop(alone);
    Ok(Json(Message::new(done)))
}

/// The VM with its definition, as the tree holds them now.
pub(super) async fn definable(app: &App, target: &Target) -> Result<Definable, ApiError> {
    Ok(Definable {
        vm: target.read(app).await?,
        xml: fetch::one(app.store(), &key::vm_xml(target.uuid)).await?,
        volumes: fetch::one(app.store(), &key::vm_rbd_list(target.uuid)).await?,
    })
}
