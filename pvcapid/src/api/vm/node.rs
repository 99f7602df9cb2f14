//! `GET` and `POST /vm/{vm}/node`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::{Message, VmNode};
use pvc_common::id::NodeName;
use pvc_common::model::Vm;
use pvc_common::state::VmState;
use pvc_common::zk::Text;
use utoipa::IntoParams;

use super::{Target, changeable, existing};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, MoveKind, MoveWish};
use crate::image::View;

/// Tells where a VM should run.
#[utoipa::path(get, path = "/api/v1/vm/{vm}/node", operation_id = "vm_node", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID")),
    responses((status = 200, body = VmNode), (status = 404, description = "No such VM")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<VmNode>, ApiError> {
    let shown = existing(&*app.view()?, &name)?;
    let text = |node: Option<&Option<NodeName>>| node.map(Text::encode).unwrap_or_default();
    Ok(Json(VmNode {
        name: shown.name().to_owned(),
        node: text(shown.vm().node.get()),
        last_node: text(shown.vm().last_node.get()),
    }))
}

/// Arguments of a move.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// `migrate` for a time, `unmigrate` to go home, or `move` for good.
    #[param(value_type = String)]
    action: MoveKind,
    /// The node to go to; the best one if it is not given.
    node: Option<String>,
    /// Whether a VM that is away may go further away.
    #[param(required = false)]
    force: bool,
    /// Whether to answer only when that is done.
    #[param(required = false)]
    wait: bool,
    /// Whether to move live or not at all.
    #[param(required = false)]
    force_live: bool,
}

impl SetArgs {
    fn parse(args: &Args) -> Result<Self, ApiError> {
        Ok(Self {
            action: args.required_choice("action", MoveKind::WORDS)?,
            node: args.text("node").filter(|node| !node.is_empty()).map(str::to_owned),
            force: args.flag("force"),
            wait: args.flag("wait"),
            force_live: args.flag("force_live"),
        })
    }

    fn wish(&self) -> Result<MoveWish, ApiError> {
        let target = self.node.as_ref().map(|text| {
            text.parse().map_err(|_| {
                let message = format!("ERROR: Specified node '{text}' is invalid.");
                ApiError::refused("no-such-node", message)
            })
        });
        Ok(MoveWish {
            kind: self.action,
            target: target.transpose()?,
            force: self.force,
            live_only: self.force_live,
        })
    }
}

/// Moves a VM to another node.
#[utoipa::path(post, path = "/api/v1/vm/{vm}/node", operation_id = "vm_set_node", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "Cannot be"),
        (status = 504, description = "Begun, but not done yet")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let args = SetArgs::parse(&args)?;
    let wish = args.wish()?;
    let target = changeable(&*app.view()?, &name)?;
    let placing = app.placing().await;
    let begun = apply(&app, || async {
        let vm = target.read(&app).await?;
        change::move_vm(target.uuid, &target.name, &vm, &*app.view()?, &wish)
    });
    let begun = begun.await?;
    drop(placing);
    if args.wait {
        arrived(&app, &target).await?;
        return Ok(Json(Message::new(done(&begun))));
    }
    Ok(Json(Message::new(begun)))
}

/// What is told once a move that was waited for is over.
fn done(begun: &str) -> String {
    begun
        .replacen("Permanently migrating", "Permanently migrated", 1)
        .replacen("Migrating", "Migrated", 1)
        .replacen("Unmigrating", "Unmigrated", 1)
}

/// Waits until the VM is no longer on its way; says why if it went back.
async fn arrived(app: &App, target: &Target) -> Result<(), ApiError> {
    let name = &target.name;
    let wanted = vm(&*app.view()?, target).and_then(|vm| vm.node.get().cloned().flatten());
    let settled =
        app.until(app.limits().wait, |view| vm(view, target).is_none_or(|vm| !moving(vm)));
    let view = settled.await.ok_or_else(|| {
        ApiError::still_waiting(format!("VM '{name}' is still on its way; it goes on."))
    })?;
    let vm = vm(&view, target).ok_or_else(|| super::no_such_vm(name))?;
    if vm.node.get().cloned().flatten() == wanted && vm.state.copied() != Some(VmState::Fail) {
        return Ok(());
    }
    let reason = vm.failed_reason.get().filter(|reason| !reason.is_empty());
    let reason = reason.map_or("something else was asked of it meanwhile", String::as_str);
    let message = format!("ERROR: VM '{name}' did not move: {reason}");
    Err(ApiError::refused("not-moved", message))
}

fn vm<'a>(view: &'a View, target: &Target) -> Option<&'a Vm> {
    view.vm(target.uuid).map(|shown| shown.vm())
}

fn moving(vm: &Vm) -> bool {
    let on_its_way = matches!(
        vm.state.copied(),
        Some(VmState::Migrate | VmState::MigrateLive | VmState::Unmigrate)
    );
    // Until the claim has passed on, the old node may still be running it.
    let holder = vm.claim.get().map(|claim| &claim.holder);
    let elsewhere = holder.is_some() && holder != vm.node.get().and_then(Option::as_ref);
    on_its_way || elsewhere
}
