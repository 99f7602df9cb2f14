//! Volumes.

pub(in crate::api) mod add;
pub(in crate::api) mod clone;
pub(in crate::api) mod list;
pub(in crate::api) mod modify;
pub(in crate::api) mod remove;
pub(in crate::api) mod scan;
pub(in crate::api) mod show;
pub(in crate::api) mod upload;

use pvc_common::id::VolumeId;
use pvc_common::unit::Bytes;

use super::pool::named;
use crate::api::ApiError;
use crate::api::args::Args;

/// The volume of this name, whether there is one or not.
pub(super) fn named_volume(pool: &str, volume: &str) -> Result<VolumeId, ApiError> {
    let pool = named(pool)?;
    let name = volume.parse().map_err(|_| {
        let message = format!("ERROR: There is no volume '{volume}' in pool '{pool}'.");
        ApiError::refused("no-such-volume", message)
    })?;
    Ok(VolumeId { pool, volume: name })
}

/// A size of at least one byte.
fn size(name: &str, text: &str) -> Result<Bytes, ApiError> {
    let size: Bytes = text.parse().map_err(|bad: pvc_common::unit::BadSize| {
        ApiError::refused("bad-size", format!("ERROR: {bad}"))
    })?;
    let nothing = || ApiError::argument(name, format!("{text} is not valid; expected more than 0"));
    if size.0 == 0 { Err(nothing()) } else { Ok(size) }
}

/// The size that an argument says, which must be there.
fn required_size(args: &Args, name: &str) -> Result<Bytes, ApiError> {
    size(name, args.required(name)?)
}
