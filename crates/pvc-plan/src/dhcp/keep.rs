//! Which dnsmasqs have to be stopped, given other files, and started.
//!
//! Invariant: files are written only while their dnsmasq does not run, so that one that runs has
//! read the files that are there. What is as wanted is not touched, whoever started it.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::Vni;

use super::Files;

/// What there is of a network's dnsmasq on this node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The files that it reads, as far as they are there.
    pub files: Option<Files>,
    /// Whether it runs, or is about to.
    pub running: bool,
}

/// What to do, in this order; each for networks that know nothing of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// These shall not run.
    pub stop: Vec<Vni>,
    /// Of these nothing shall be left.
    pub forget: Vec<Vni>,
    /// These shall have the files that are wanted.
    pub write: Vec<Vni>,
    /// These shall run.
    pub start: Vec<Vni>,
}

impl Steps {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Does nothing to these networks.
    pub fn leave_out(&mut self, networks: &BTreeSet<Vni>) {
        for list in [&mut self.stop, &mut self.forget, &mut self.write, &mut self.start] {
            list.retain(|vni| !networks.contains(vni));
        }
    }

    /// Stops no dnsmasq that knows leases which nobody else does, to give it other files. One that
    /// nobody needs is stopped all the same.
    pub fn spare(&mut self, knowing: &BTreeSet<Vni>) {
        let needed = self.stop.iter().filter(|vni| !self.forget.contains(vni));
        let spared = needed.copied().filter(|vni| knowing.contains(vni)).collect();
        self.leave_out(&spared);
    }
}

/// Decides what has to be done so that there is what is wanted, and nothing else.
#[must_use]
pub fn plan(wanted: &BTreeMap<Vni, Files>, found: &BTreeMap<Vni, Found>) -> Steps {
    let mut steps = Steps::default();
    let nothing = Found::default();
    for (vni, found) in found.iter().filter(|(vni, _)| !wanted.contains_key(vni)) {
        if found.running {
            steps.stop.push(*vni);
        }
        steps.forget.push(*vni);
    }
    for (vni, files) in wanted {
        let found = found.get(vni).unwrap_or(&nothing);
        let differs = found.files.as_ref() != Some(files);
        if differs && found.running {
            steps.stop.push(*vni);
        }
        if differs {
            steps.write.push(*vni);
        }
        if differs || !found.running {
            steps.start.push(*vni);
        }
    }
    steps
}
