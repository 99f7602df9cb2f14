//! `GET` and `POST /vm/{vm}/tags`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::{Message, VmTags};
use pvc_common::id::TagName;
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::{Target, changeable, existing};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, Change};
use crate::image::tags;

/// Shows a VM's tags, by name.
#[utoipa::path(get, path = "/api/v1/vm/{vm}/tags", operation_id = "vm_tags", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID")),
    responses((status = 200, body = VmTags), (status = 404, description = "No such VM")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<VmTags>, ApiError> {
    let shown = existing(&*app.view()?, &name)?;
    Ok(Json(VmTags { name: shown.name().to_owned(), tags: tags(shown.vm()) }))
}

/// What to do with a tag.
#[derive(Clone, Copy)]
enum Action {
    Add,
    Remove,
}

/// Arguments of a change of tags.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// `add` or `remove`.
    #[param(value_type = String)]
    action: Action,
    /// The tag.
    #[param(value_type = String)]
    tag: TagName,
    /// Whether a new tag cannot be removed.
    #[param(required = false)]
    protected: bool,
}

impl SetArgs {
    fn parse(args: &Args) -> Result<Self, ApiError> {
        let words = [("add", Action::Add), ("remove", Action::Remove)];
        let tag = args.required("tag")?.parse();
        Ok(Self {
            action: args.required_choice("action", &words)?,
            tag: tag
                .map_err(|bad: pvc_common::id::BadId| ApiError::argument("tag", bad.to_string()))?,
            protected: args.flag("protected"),
        })
    }
}

/// Adds a tag to a VM, or removes one.
#[utoipa::path(post, path = "/api/v1/vm/{vm}/tags", operation_id = "vm_set_tag", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "Cannot be")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = SetArgs::parse(&args)?;
    let target = changeable(&*app.view()?, &name)?;
    let done = apply(&app, || decide(&app, &target, &wanted));
    Ok(Json(Message::new(done.await?)))
}

async fn decide(app: &App, target: &Target, wanted: &SetArgs) -> Result<Change, ApiError> {
    target.read(app).await?;
    let tag = &wanted.tag;
    let found = app.store().branch(key::vm_tag(target.uuid, tag).path()).await?;
    match wanted.action {
        Action::Add => {
            // A VM from before tags has no place for them yet.
            let place = app.store().get(key::vm_tags(target.uuid).path()).await?;
            let missing = place.is_none();
            let parent = missing.then(|| key::vm_tags(target.uuid).create(&()));
            change::add_tag(target.uuid, &target.name, tag, wanted.protected, &found, parent)
        }
        Action::Remove => change::remove_tag(target.uuid, &target.name, tag, &found),
    }
}
