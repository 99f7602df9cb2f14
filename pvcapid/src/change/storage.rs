//! What requests about storage want, judged by what the cluster knows.

use std::str::FromStr;

use pvc_common::id::{PoolName, SnapshotId, VmUuid, VolumeId};
use pvc_common::model::{Json, Pool};
use pvc_common::unit::Bytes;
use pvc_common::view::View;
use pvc_common::zk::Seen;
use serde::Deserialize;

use crate::api::ApiError;

/// Whether an object of the storage is to be made, or its making went on when the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Making {
    Anew,
    Resumed,
}

/// The identity that Ceph gave an object, by what is recorded of it; none while it is being made.
pub(crate) fn identity(stats: &Seen<Json>) -> Option<String> {
    #[derive(Deserialize)]
    struct Stats {
        id: serde_json::Value,
    }
    let stats: Stats = serde_json::from_str(stats.get()?.text()).ok()?;
    Some(stats.id.as_str().map_or_else(|| stats.id.to_string(), str::to_owned))
}

/// What marks a volume that holds a part of an image; among what Ceph says there is no such field.
const UNFINISHED: &str = "unfinished";

/// What is recorded of a volume while an image is being written into it: what Ceph says, but for
/// the identity, so that it is not taken for whole.
pub(crate) fn being_filled(info: &Json) -> Json {
    let fields = serde_json::from_str::<serde_json::Map<_, _>>(info.text());
    let mut fields = fields.unwrap_or_default();
    fields.remove("id");
    fields.insert(UNFINISHED.to_owned(), "upload".into());
    Json::of(&fields.into())
}

/// Whether a volume holds a part of an image, by what is recorded of it.
pub(crate) fn is_being_filled(stats: &Seen<Json>) -> bool {
    let fields = stats.get().and_then(|json| serde_json::from_str(json.text()).ok());
    fields.is_some_and(|fields: serde_json::Value| fields.get(UNFINISHED).is_some())
}

/// A name for something new: one that no program takes for an option, nor Ceph for a place.
pub(crate) fn new_name<N: FromStr + ToString>(argument: &str, text: &str) -> Result<N, ApiError> {
    let sound = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && text.len() <= 96;
    text.parse().ok().filter(|_| sound).ok_or_else(|| {
        let help = format!(
            "'{text}' is not a valid name; expected up to 96 letters, digits, '.', '_' and '-', \
             a letter or digit first"
        );
        ApiError::argument(argument, help)
    })
}

/// The pool of this name, which must exist.
pub(crate) fn known_pool<'a>(view: &'a View, pool: &PoolName) -> Result<&'a Pool, ApiError> {
    let known = view.pools.get(pool).map(AsRef::as_ref);
    known.ok_or_else(|| {
        ApiError::refused("no-such-pool", format!("ERROR: There is no pool '{pool}'."))
    })
}

/// The identity of a volume that exists and is whole.
pub(crate) fn known_volume(view: &View, volume: &VolumeId) -> Result<String, ApiError> {
    let known = view.volumes.get(volume).ok_or_else(|| no_volume(volume))?;
    identity(&known.stats).ok_or_else(|| {
        let message = if is_being_filled(&known.stats) {
            format!(
                "ERROR: Volume '{volume}' holds only a part of an image; upload it again, or \
                 remove it."
            )
        } else {
            format!(
                "ERROR: Volume '{volume}' was not made to the end; add it again with the same \
                 size, or remove it."
            )
        };
        ApiError::refused("unfinished", message)
    })
}

/// Refuses to fill a volume that does not exist, or was not made to the end.
pub(crate) fn fillable_volume(view: &View, volume: &VolumeId) -> Result<(), ApiError> {
    let known = view.volumes.get(volume).ok_or_else(|| no_volume(volume))?;
    if is_being_filled(&known.stats) { Ok(()) } else { known_volume(view, volume).map(drop) }
}

pub(crate) fn no_volume(volume: &VolumeId) -> ApiError {
    let (name, pool) = (&volume.volume, &volume.pool);
    let message = format!("ERROR: There is no volume '{name}' in pool '{pool}'.");
    ApiError::refused("no-such-volume", message)
}

pub(crate) fn no_snapshot(snapshot: &SnapshotId) -> ApiError {
    let (name, of) = (&snapshot.snapshot, &snapshot.of);
    let message = format!("ERROR: There is no snapshot '{name}' of volume '{of}'.");
    ApiError::refused("no-such-snapshot", message)
}

/// Whether a volume of this name may be made.
pub(crate) fn new_volume(view: &View, volume: &VolumeId) -> Result<Making, ApiError> {
    known_pool(view, &volume.pool)?;
    match view.volumes.get(volume) {
        None => Ok(Making::Anew),
        Some(known) if identity(&known.stats).is_none() && !is_being_filled(&known.stats) => {
            Ok(Making::Resumed)
        }
        Some(_) => {
            let (name, pool) = (&volume.volume, &volume.pool);
            let message = format!("ERROR: There is a volume '{name}' in pool '{pool}' already.");
            Err(ApiError::refused("name-in-use", message))
        }
    }
}

/// How full a pool may be, in percent, before more takes force.
const SAFE: u128 = 80;

/// Whether a pool has room for a volume of this size, by what it held when it was last measured. A
/// pool that nobody has measured yet has room.
pub(crate) fn fits(pool: &Pool, name: &PoolName, size: Bytes, force: bool) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    struct Stats {
        free_bytes: u64,
        stored_bytes: u64,
    }
    let text = pool.stats.get().map_or("", Json::text);
    let Ok(stats) = serde_json::from_str::<Stats>(text) else { return Ok(()) };
    let (free, stored) = (stats.free_bytes, stats.stored_bytes);
    if size.0 >= free {
        let message =
            format!("ERROR: {size} is more than pool '{name}' has free, which is {}.", Bytes(free));
        return Err(ApiError::refused("too-large", message));
    }
    let safe = (u128::from(stored) + u128::from(free)) * SAFE / 100;
    if u128::from(stored) + u128::from(size.0) >= safe && !force {
        let message = format!(
            "ERROR: With {size} more, pool '{name}' would be fuller than {SAFE}%; \
             use force to do it nevertheless."
        );
        return Err(ApiError::refused("unsafe-size", message));
    }
    Ok(())
}

/// Refuses to take a pool away from a VM that may be running on it.
pub(crate) fn nobody_runs_on(view: &View, pool: &PoolName) -> Result<(), ApiError> {
    let Some(name) = runs_with(view, |volume| volume.pool == *pool) else { return Ok(()) };
    let message = format!("ERROR: VM '{name}' runs on pool '{pool}'; stop it first.");
    Err(ApiError::refused("in-use", message))
}

/// Refuses to write into a volume of a VM that may be running.
pub(crate) fn nobody_runs_with(view: &View, volume: &VolumeId) -> Result<(), ApiError> {
    let Some(name) = runs_with(view, |used| used == volume) else { return Ok(()) };
    let message = format!("ERROR: VM '{name}' runs with volume '{volume}'; stop it first.");
    Err(ApiError::refused("in-use", message))
}

/// Refuses to start a VM on a part of an image.
pub(crate) fn has_whole_volumes(view: &View, vm: VmUuid) -> Result<(), ApiError> {
    let details = view.vms.get(&vm).and_then(|vm| vm.details.as_deref());
    let volumes = details.and_then(|details| details.volumes.get()).map_or(&[][..], Vec::as_slice);
    let is_part = |volume: &&VolumeId| {
        view.volumes.get(*volume).is_some_and(|known| is_being_filled(&known.stats))
    };
    volumes.iter().find(is_part).map_or(Ok(()), |volume| known_volume(view, volume).map(drop))
}

/// The name of a VM that may be running and uses such a volume.
fn runs_with(view: &View, is_one: impl Fn(&VolumeId) -> bool) -> Option<String> {
    let running = view.vms.values().find(|vm| {
        let volumes = vm.details.as_deref().and_then(|details| details.volumes.get());
        vm.claim != Seen::Absent && volumes.is_some_and(|volumes| volumes.iter().any(&is_one))
    });
    running.map(|vm| vm.name.get().map(ToString::to_string).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::Version;

    use super::*;

    fn seen(text: &str) -> Seen<Json> {
        Seen::read(Some((text.as_bytes(), Version(1))))
    }

    #[test]
    fn what_ceph_has_told_of_is_whole() {
        assert_eq!(identity(&seen(r#"{"id":"101c","size":1}"#)).as_deref(), Some("101c"));
        assert_eq!(identity(&seen(r#"{"id":4}"#)).as_deref(), Some("4"));
        for text in ["", "{}", r#"{"size":1}"#, "[]"] {
            assert_eq!(identity(&seen(text)), None, "{text}");
        }
        assert_eq!(identity(&Seen::Absent), None);
    }

    #[test]
    fn a_new_name_is_plain() {
        for good in ["a", "web1_sda", "2026-11-28.x", "A"] {
            assert!(new_name::<PoolName>("pool", good).is_ok(), "{good}");
        }
        let long = "x".repeat(97);
        for bad in ["", "-x", ".x", "a/b", "a@b", "a b", "ä", "a;b", "--all", "a\n", &long] {
            assert!(new_name::<PoolName>("pool", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_pool_is_not_filled_beyond_what_is_safe_without_force() {
        let stats = seen(r#"{"free_bytes":800,"stored_bytes":200}"#);
        let pool = Pool { stats, ..Pool::default() };
        let name = "vms".parse().unwrap();
        for (size, force, fit) in [
            (599, false, true),
            (600, false, false),
            (600, true, true),
            (799, true, true),
            (800, true, false),
            (u64::MAX, true, false),
        ] {
            assert_eq!(fits(&pool, &name, Bytes(size), force).is_ok(), fit, "{size} {force}");
        }
        assert!(fits(&Pool::default(), &name, Bytes(u64::MAX), false).is_ok(), "not measured yet");
    }
}
