//! Requests about snapshots of volumes.

use crate::{Destructive, Method, Request};

/// One snapshot, by the place where it is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The pool that holds the volume.
    pub pool: String,
    /// The volume.
    pub volume: String,
    /// The snapshot's own name.
    pub snapshot: String,
}

impl Place {
    fn request(&self, method: Method) -> Request {
        let Self { pool, volume, snapshot } = self;
        Request::new(method, &["storage", "ceph", "snapshot", pool, volume, snapshot])
    }
}

/// All snapshots that match, of one volume or pool or of all.
#[must_use]
pub fn list(limit: Option<&str>, volume: Option<&str>, pool: Option<&str>) -> Request {
    Request::new(Method::Get, &["storage", "ceph", "snapshot"])
        .maybe("limit", limit)
        .maybe("volume", volume)
        .maybe("pool", pool)
}

/// Makes a snapshot.
#[must_use]
pub fn add(place: &Place) -> Request {
    Request::new(Method::Post, &["storage", "ceph", "snapshot"])
        .with("snapshot", &place.snapshot)
        .with("volume", &place.volume)
        .with("pool", &place.pool)
}

/// Renames a snapshot.
#[must_use]
pub fn rename(place: &Place, new_name: &str) -> Request {
    place.request(Method::Put).with("new_name", new_name)
}

/// Removes a snapshot.
#[must_use]
pub fn remove(place: &Place, _: &Destructive) -> Request {
    place.request(Method::Delete)
}

/// Puts the volume back to what it was at the snapshot.
#[must_use]
pub fn rollback(place: &Place, _: &Destructive) -> Request {
    let Place { pool, volume, snapshot } = place;
    let path = ["storage", "ceph", "snapshot", pool, volume, snapshot, "rollback"];
    Request::new(Method::Post, &path)
}
