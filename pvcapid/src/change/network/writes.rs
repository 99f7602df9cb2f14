//! A transaction about one network, as it comes together.

use pvc_common::zk::{Key, Op, Seen, Text};

/// Operations, each guarded by what was read.
#[derive(Debug, Default)]
pub(super) struct Writes(Vec<Op>);

impl Writes {
    /// Writes a value where another stands; where it stands already, it shall still do so then.
    pub(super) fn put<T: Text + PartialEq>(&mut self, key: &Key<T>, was: &Seen<T>, now: &T) {
        if was.get() == Some(now) {
            self.check(key, was);
        } else {
            self.0.push(key.put(was, now));
        }
    }

    /// Writes a parent anew: whatever else is decided on its children then fails, or did already.
    pub(super) fn claim(&mut self, key: &Key<()>, was: &Seen<()>) {
        self.0.push(key.put(was, &()));
    }

    /// Changes nothing, on the condition that nothing changed.
    pub(super) fn check<T>(&mut self, key: &Key<T>, was: &Seen<T>) {
        self.0.extend(key.check(was));
    }

    /// More operations, in their order.
    pub(super) fn extend(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.0.extend(ops);
    }

    /// All of it.
    pub(super) fn into_ops(self) -> Vec<Op> {
        self.0
    }
}
