//! Requests about VMs.
//!
//! None of them asks the server to wait: a client that wants to wait looks at the VM
//! itself, so that it can show progress and survives a move of the API.

use crate::{Destructive, Method, Request};

/// Which VMs to list; everything given must match.
#[derive(Clone, Debug, Default)]
pub struct VmFilter {
    /// A regular expression on the name, or a UUID.
    pub limit: Option<String>,
    /// The name of the node that they are on.
    pub node: Option<String>,
    /// A VM state, such as `start`.
    pub state: Option<String>,
    /// A tag that they have.
    pub tag: Option<String>,
    /// Those that do *not* match node, state and tag.
    pub negate: bool,
}

/// How the cluster treats a VM, beside its definition. `None` leaves the server's default
/// at definition, and the present value at a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmMeta {
    /// Names of the nodes that may run it, separated by commas; empty for any.
    pub limit: Option<String>,
    /// How a node is chosen.
    pub selector: Option<String>,
    /// Whether it starts when its node becomes ready.
    pub autostart: Option<bool>,
    /// How it is migrated.
    pub method: Option<String>,
    /// The longest pause of a live migration, in milliseconds.
    pub max_downtime_ms: Option<u32>,
    /// The provisioner profile it came from.
    pub profile: Option<String>,
}

impl VmMeta {
    fn add_to(&self, request: Request) -> Request {
        let request =
            request.maybe("limit", self.limit.as_ref()).maybe("selector", self.selector.as_ref());
        let request = match self.autostart {
            Some(on) => request.switch("autostart", on),
            None => request,
        };
        request
            .maybe("migration_method", self.method.as_ref())
            .maybe("migration_max_downtime", self.max_downtime_ms)
            .maybe("profile", self.profile.as_ref())
    }
}

/// A new VM.
#[derive(Clone, Debug, Default)]
pub struct NewVm {
    /// The libvirt domain definition.
    pub xml: String,
    /// The node to put it on; chosen by the cluster if not given.
    pub node: Option<String>,
    /// How the cluster treats it.
    pub meta: VmMeta,
    /// Tags that may be removed again.
    pub user_tags: Vec<String>,
    /// Tags that may not.
    pub protected_tags: Vec<String>,
}

/// How to move a VM.
#[derive(Clone, Debug, Default)]
pub struct Transfer {
    /// The node to move to; chosen by the cluster if not given.
    pub node: Option<String>,
    /// Also when it is migrated already.
    pub force: bool,
    /// Live or not at all.
    pub force_live: bool,
}

/// All VMs that match.
#[must_use]
pub fn list(filter: &VmFilter) -> Request {
    Request::new(Method::Get, &["vm"])
        .maybe("limit", filter.limit.as_ref())
        .maybe("node", filter.node.as_ref())
        .maybe("state", filter.state.as_ref())
        .maybe("tag", filter.tag.as_ref())
        .switch("negate", filter.negate)
}

/// One VM, as a list of one.
#[must_use]
pub fn info(vm: &str) -> Request {
    Request::new(Method::Get, &["vm", vm])
}

/// The last `lines` lines of a VM's console.
#[must_use]
pub fn console(vm: &str, lines: u32) -> Request {
    Request::new(Method::Get, &["vm", vm, "console"]).with("lines", lines)
}

/// Defines a VM; it is not started.
#[must_use]
pub fn define(vm: NewVm) -> Request {
    let request = Request::new(Method::Post, &["vm"]).maybe("node", vm.node);
    vm.meta
        .add_to(request)
        .each("user_tags", &vm.user_tags)
        .each("protected_tags", &vm.protected_tags)
        .form("xml", vm.xml)
}

/// A VM's new definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The one that it was made of; if the VM has another by now, nothing is changed.
    pub old: String,
    /// What it shall be.
    pub new: String,
}

/// Replaces a VM's definition; `restart` applies it at once.
#[must_use]
pub fn modify(vm: &str, definition: Definition, restart: bool) -> Request {
    let Definition { old, new } = definition;
    let request = Request::new(Method::Put, &["vm", vm]).switch("restart", restart);
    request.form("xml", new).form("old_xml", old)
}

/// Changes how the cluster treats a VM: only what is given.
#[must_use]
pub fn set_meta(vm: &str, meta: &VmMeta) -> Request {
    meta.add_to(Request::new(Method::Post, &["vm", vm, "meta"]))
}

/// Renames a stopped VM.
#[must_use]
pub fn rename(vm: &str, new_name: &str, _: &Destructive) -> Request {
    Request::new(Method::Post, &["vm", vm, "rename"]).with("new_name", new_name)
}

/// Stops a VM and forgets it; its disks stay.
#[must_use]
pub fn undefine(vm: &str, _: &Destructive) -> Request {
    Request::new(Method::Delete, &["vm", vm]).switch("delete_disks", false)
}

/// Stops a VM, forgets it and deletes its disks.
#[must_use]
pub fn remove(vm: &str, _: &Destructive) -> Request {
    Request::new(Method::Delete, &["vm", vm]).switch("delete_disks", true)
}

fn set_state(vm: &str, state: &str, force: bool) -> Request {
    Request::new(Method::Post, &["vm", vm, "state"])
        .with("state", state)
        .switch("force", force)
        .switch("wait", false)
}

/// Starts a VM; `force` also a mirror of another cluster's VM.
#[must_use]
pub fn start(vm: &str, force: bool) -> Request {
    set_state(vm, "start", force)
}

/// Shuts a VM down and starts it again.
#[must_use]
pub fn restart(vm: &str, _: &Destructive) -> Request {
    set_state(vm, "restart", false)
}

/// Asks a VM's guest to shut down; it is cut off if it takes too long.
#[must_use]
pub fn shutdown(vm: &str, _: &Destructive) -> Request {
    set_state(vm, "shutdown", false)
}

/// Cuts a VM off at once.
#[must_use]
pub fn stop(vm: &str, force: bool, _: &Destructive) -> Request {
    set_state(vm, "stop", force)
}

/// Shuts a VM down (`force`: cuts it off) and marks it as not wanted.
#[must_use]
pub fn disable(vm: &str, force: bool, _: &Destructive) -> Request {
    set_state(vm, "disable", force)
}

fn set_node(vm: &str, action: &str, transfer: &Transfer) -> Request {
    Request::new(Method::Post, &["vm", vm, "node"])
        .with("action", action)
        .maybe("node", transfer.node.as_ref())
        .with("force", transfer.force)
        .with("wait", false)
        .with("force_live", transfer.force_live)
}

/// Moves a VM for good.
#[must_use]
pub fn relocate(vm: &str, transfer: &Transfer) -> Request {
    set_node(vm, "move", transfer)
}

/// Moves a VM for the time being; it remembers where it came from.
#[must_use]
pub fn migrate(vm: &str, transfer: &Transfer) -> Request {
    set_node(vm, "migrate", transfer)
}

/// Brings a migrated VM back.
#[must_use]
pub fn unmigrate(vm: &str, force_live: bool) -> Request {
    let transfer = Transfer { force_live, ..Transfer::default() };
    set_node(vm, "unmigrate", &transfer)
}

/// The tags of a VM.
#[must_use]
pub fn tags(vm: &str) -> Request {
    Request::new(Method::Get, &["vm", vm, "tags"])
}

/// Gives a VM a tag; a protected one cannot be removed again.
#[must_use]
pub fn add_tag(vm: &str, tag: &str, protected: bool) -> Request {
    Request::new(Method::Post, &["vm", vm, "tags"])
        .with("action", "add")
        .with("tag", tag)
        .switch("protected", protected)
}

/// Takes a tag from a VM.
#[must_use]
pub fn remove_tag(vm: &str, tag: &str) -> Request {
    Request::new(Method::Post, &["vm", vm, "tags"]).with("action", "remove").with("tag", tag)
}

/// Gives a running VM a device, as its element of the definition; a task.
#[must_use]
pub fn attach_device(vm: &str, xml: String) -> Request {
    Request::new(Method::Post, &["vm", vm, "device"]).form("xml", xml)
}

/// Takes a device from a running VM, as its element of the definition; a task.
#[must_use]
pub fn detach_device(vm: &str, xml: String) -> Request {
    Request::new(Method::Delete, &["vm", vm, "device"]).form("xml", xml)
}

/// Releases the locks that are left on a stopped VM's volumes; a task.
#[must_use]
pub fn flush_locks(vm: &str) -> Request {
    Request::new(Method::Post, &["vm", vm, "locks"])
}
