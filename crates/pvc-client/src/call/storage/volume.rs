//! Requests about volumes. A `size` is such as `10G`; `force` goes beyond the safe limit of a pool.

use crate::{Destructive, Method, Request};

fn at(method: Method, pool: &str, volume: &str) -> Request {
    Request::new(method, &["storage", "ceph", "volume", pool, volume])
}

// Upstream's servers take any text for yes.
fn forced(request: Request, force: bool) -> Request {
    request.maybe("force", force.then_some("True"))
}

/// All volumes that match, of one pool or of all.
#[must_use]
pub fn list(limit: Option<&str>, pool: Option<&str>) -> Request {
    Request::new(Method::Get, &["storage", "ceph", "volume"])
        .maybe("limit", limit)
        .maybe("pool", pool)
}

/// One volume, as a list of one.
#[must_use]
pub fn info(pool: &str, volume: &str) -> Request {
    at(Method::Get, pool, volume)
}

/// Makes an empty volume.
#[must_use]
pub fn add(pool: &str, volume: &str, size: &str, force: bool) -> Request {
    let request = Request::new(Method::Post, &["storage", "ceph", "volume"])
        .with("volume", volume)
        .with("pool", pool)
        .with("size", size);
    forced(request, force)
}

/// Removes a volume with its snapshots.
#[must_use]
pub fn remove(pool: &str, volume: &str, _: &Destructive) -> Request {
    at(Method::Delete, pool, volume)
}

/// Makes a volume larger.
#[must_use]
pub fn resize(pool: &str, volume: &str, size: &str, force: bool, _: &Destructive) -> Request {
    forced(at(Method::Put, pool, volume).with("new_size", size), force)
}

/// Renames a volume in its pool.
#[must_use]
pub fn rename(pool: &str, volume: &str, new_name: &str, _: &Destructive) -> Request {
    at(Method::Put, pool, volume).with("new_name", new_name)
}

/// Copies a volume to a new one in the same pool.
#[must_use]
pub fn clone(pool: &str, volume: &str, new_name: &str, force: bool) -> Request {
    let request = Request::new(Method::Post, &["storage", "ceph", "volume", pool, volume, "clone"])
        .with("new_volume", new_name);
    forced(request, force)
}

/// Fills a volume with an image of `length` bytes; see [`Client::upload`].
///
/// [`Client::upload`]: crate::Client::upload
#[must_use]
pub fn upload(pool: &str, volume: &str, format: &str, length: u64) -> Request {
    // What is raw goes into the volume as it comes. For the rest the server makes a place of
    // this size first; upstream's servers refuse a raw image with a size.
    let size = (format != "raw").then_some(length);
    Request::new(Method::Post, &["storage", "ceph", "volume", pool, volume, "upload"])
        .with("image_format", format)
        .maybe("file_size", size)
        .carrying(length)
}
