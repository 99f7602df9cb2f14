//! Arguments that several requests about OSDs share.

use std::fmt::Display;
use std::str::FromStr;

use pvc_common::id::{NodeName, OsdId};
use pvc_common::model::RunOn;
use pvc_common::unit::{Bytes, Ratio};

use super::existing;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::image::View;

/// A required argument.
pub(super) fn parsed<T: FromStr<Err: Display>>(args: &Args, name: &str) -> Result<T, ApiError> {
    let parsed = args.required(name)?.parse();
    parsed.map_err(|bad: T::Err| ApiError::argument(name, bad.to_string()))
}

/// An argument that need not be given.
pub(super) fn optional<T: FromStr<Err: Display>>(
    args: &Args,
    name: &str,
) -> Result<Option<T>, ApiError> {
    match args.text(name) {
        Some(text) if !text.is_empty() => parsed(args, name).map(Some),
        Some(_) | None => Ok(None),
    }
}

/// How large databases are that are kept apart from the data.
pub(super) struct Database {
    pub(super) ratio: Option<Ratio>,
    pub(super) bytes: Option<u64>,
}

impl Database {
    pub(super) fn read(args: &Args) -> Result<Self, ApiError> {
        let ratio = optional(args, "ext_db_ratio")?;
        let size: Option<Bytes> = optional(args, "ext_db_size")?;
        if ratio.is_some() && size.is_some() {
            let message = "ERROR: Give a ratio or a size of the database, not both.";
            return Err(ApiError::refused("ratio-and-size", message));
        }
        if size == Some(Bytes(0)) {
            return Err(ApiError::argument("ext_db_size", "expected more than nothing"));
        }
        Ok(Self { ratio, bytes: size.map(|size| size.0) })
    }
}

/// The node of this name, which must be one.
pub(super) fn node(view: &View, text: &str) -> Result<RunOn, ApiError> {
    let name: Option<NodeName> = text.parse().ok();
    let known = name.filter(|name| view.nodes.contains_key(name));
    known.map(RunOn::Node).ok_or_else(|| {
        ApiError::refused("no-such-node", format!("ERROR: There is no node '{text}'."))
    })
}

/// The OSD of this number, which must exist, and the node that it is on.
pub(super) fn home(view: &View, text: &str) -> Result<(OsdId, RunOn), ApiError> {
    let (id, osd) = existing(view, text)?;
    let node = osd.node.get().cloned().flatten();
    let run_on = node.map(RunOn::Node).ok_or_else(|| {
        let message = format!("ERROR: It is not known on which node OSD {id} is.");
        ApiError::refused("no-node", message)
    })?;
    Ok((id, run_on))
}
