//! `GET /vm`

use axum::extract::State;
use pvc_common::api::Vm;
use pvc_common::id::{NodeName, VmUuid};
use pvc_common::state::{VmState, Word};
use utoipa::IntoParams;

use super::listed;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::{Shown, View};
use crate::listing::Listing;

/// Arguments of a list of VMs; a VM is listed if all that are given fit.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the name matches, or a UUID.
    limit: Option<String>,
    /// The node it is assigned to.
    node: Option<String>,
    /// Its state.
    state: Option<String>,
    /// A tag it has.
    tag: Option<String>,
    /// Whether to list those that do *not* fit node, state and tag.
    #[param(required = false)]
    negate: bool,
}

impl ListArgs {
    fn parse(args: &Args) -> Self {
        let text = |name| args.text(name).map(str::to_owned);
        Self {
            limit: text("limit"),
            node: text("node"),
            state: text("state"),
            tag: text("tag"),
            negate: args.flag("negate"),
        }
    }
}

/// Lists VMs, by name.
#[utoipa::path(get, path = "/api/v1/vm", operation_id = "vm_list", tag = "vm", params(ListArgs),
    responses((status = 200, body = [Vm]), (status = 400, description = "Bad argument"),
        (status = 404, description = "No such VM")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Listing<Shown>, ApiError> {
    let view = app.view()?;
    let filter = Filter::new(ListArgs::parse(&args), &view)?;
    let taken = view.vms_by_name().iter().filter(|shown| filter.takes(shown));
    listed(taken.cloned().collect())
}

/// Which VMs are listed.
struct Filter {
    limit: Option<Pattern>,
    node: Option<NodeName>,
    state: Option<VmState>,
    tag: Option<String>,
    negate: bool,
}

/// What a VM is called.
enum Pattern {
    Uuid(VmUuid),
    Name(Limit),
}

impl Filter {
    fn new(args: ListArgs, view: &View) -> Result<Self, ApiError> {
        let limit = args.limit.map(|text| match text.parse() {
            Ok(uuid) => Ok(Pattern::Uuid(uuid)),
            Err(_) => Limit::fuzzy(&text).map(Pattern::Name),
        });
        let node = args.node.map(|text| {
            let node = text.parse::<NodeName>().ok();
            node.filter(|node| view.nodes.contains_key(node)).ok_or_else(|| {
                let message = format!("Specified node \"{text}\" is invalid.");
                ApiError::refused("no-such-node", message)
            })
        });
        let state = args.state.map(|text| {
            VmState::parse(&text).map_err(|_| {
                let message = format!("VM state \"{text}\" is not valid.");
                ApiError::refused("no-such-state", message)
            })
        });
        Ok(Self {
            limit: limit.transpose()?,
            node: node.transpose()?,
            state: state.transpose()?,
            tag: args.tag,
            negate: args.negate,
        })
    }

    fn takes(&self, shown: &Shown) -> bool {
        let vm = shown.vm();
        let called = self.limit.as_ref().is_none_or(|pattern| match pattern {
            Pattern::Uuid(uuid) => shown.uuid() == *uuid,
            Pattern::Name(limit) => limit.takes(shown.name()),
        });
        // Each filter by itself is reversed, as upstream has it.
        let fits = |fits: bool| fits != self.negate;
        called
            && self
                .node
                .as_ref()
                .is_none_or(|node| fits(vm.node.get().is_some_and(|on| on.as_ref() == Some(node))))
            && self.state.is_none_or(|state| fits(vm.state.copied() == Some(state)))
            && self.tag.as_ref().is_none_or(|tag| fits(shown.has_tag(tag)))
    }
}
