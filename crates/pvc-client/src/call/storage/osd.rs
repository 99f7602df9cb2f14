//! Requests about OSDs.

use crate::{Destructive, Method, Request};

/// How large the database of an OSD is that is on another device than its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtDb {
    /// So much of the data's size, such as `0.05`.
    Ratio(String),
    /// A size with its unit, such as `6G`.
    Size(String),
}

impl ExtDb {
    fn add_to(this: Option<&Self>, request: Request) -> Request {
        match this {
            Some(Self::Ratio(ratio)) => request.with("ext_db_ratio", ratio),
            Some(Self::Size(size)) => request.with("ext_db_size", size),
            None => request,
        }
    }
}

/// A new OSD, or several on one device.
#[derive(Clone, Debug)]
pub struct NewOsd {
    /// The node that has the device.
    pub node: String,
    /// The block device, or how to detect it.
    pub device: String,
    /// Its weight in the placement of data.
    pub weight: String,
    /// Where its database is, if not with the data.
    pub ext_db: Option<ExtDb>,
    /// How many OSDs to make on the device; one by default.
    pub count: Option<u32>,
}

/// The device that takes the place of an OSD's device.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The block device, or how to detect it.
    pub device: String,
    /// The device that it replaces, if it is still there and is to be wiped.
    pub old_device: Option<String>,
    /// Another weight in the placement of data.
    pub weight: Option<String>,
    /// Where the database is, if it shall be elsewhere than before.
    pub ext_db: Option<ExtDb>,
}

/// All OSDs that match.
#[must_use]
pub fn list(limit: Option<&str>) -> Request {
    Request::new(Method::Get, &["storage", "ceph", "osd"]).maybe("limit", limit)
}

/// Makes a blank device the place for OSDs' databases; a task.
#[must_use]
pub fn add_db_vg(node: &str, device: &str, _: &Destructive) -> Request {
    Request::new(Method::Post, &["storage", "ceph", "osddb"])
        .with("node", node)
        .with("device", device)
}

/// Makes an OSD of a blank device; a task.
#[must_use]
pub fn add(osd: &NewOsd, _: &Destructive) -> Request {
    let request = Request::new(Method::Post, &["storage", "ceph", "osd"])
        .with("node", &osd.node)
        .with("device", &osd.device)
        .with("weight", &osd.weight);
    ExtDb::add_to(osd.ext_db.as_ref(), request).maybe("osd_count", osd.count)
}

/// Puts a blank device into the place of an OSD's, which is wiped; a task.
#[must_use]
pub fn replace(id: &str, by: &Replacement, _: &Destructive) -> Request {
    let request = Request::new(Method::Post, &["storage", "ceph", "osd", id])
        .with("new_device", &by.device)
        .maybe("old_device", by.old_device.as_ref())
        .maybe("weight", by.weight.as_ref());
    ExtDb::add_to(by.ext_db.as_ref(), request).with("yes-i-really-mean-it", "yes")
}

/// Takes up again an OSD whose device is there, as after a reinstallation; a task.
#[must_use]
pub fn refresh(id: &str, device: &str, _: &Destructive) -> Request {
    Request::new(Method::Put, &["storage", "ceph", "osd", id]).with("device", device)
}

/// Removes an OSD and wipes its device; a task. `force` goes on when a stage of it fails.
#[must_use]
pub fn remove(id: &str, force: bool, _: &Destructive) -> Request {
    let request = Request::new(Method::Delete, &["storage", "ceph", "osd", id])
        .with("yes-i-really-mean-it", "yes");
    // Upstream's servers take any text for yes.
    request.maybe("force", force.then_some("True"))
}

/// Has an OSD take part in the placement of data, or not.
#[must_use]
pub fn set_in(id: &str, is_in: bool) -> Request {
    Request::new(Method::Post, &["storage", "ceph", "osd", id, "state"])
        .with("state", if is_in { "in" } else { "out" })
}
