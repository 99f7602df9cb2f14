//! SR-IOV: how cards are divided, what is set of their functions, and which VM has which.
//!
//! ```text
//!  configuration ─▶ Wanted ──┐
//!  kernel ──▶ SriovTable ────┼──▶ steps on this machine (divide, set)
//!  tree: settings by people ─┤
//!  VMs' nodes, definitions ──┴──▶ writes to the tree (what is there, who has it)
//! ```
//! People's settings are in the tree and rule; what they never set is recorded as the card has it. Who
//! has a function is never told by those who define or move VMs but derived from what they did, here,
//! so that it cannot be forgotten.

mod card;
mod lack;
mod step;
#[cfg(test)]
mod tests;
mod tree;
mod usage;

use pvc_common::id::{NodeName, SriovName};
use pvc_common::model::Sriov;
use pvc_common::observed::SriovTable;
use pvc_common::view::View;

pub use lack::{Lack, lack};
pub use step::{Note, Plan, Step, Wanted, Write};
pub use usage::Usage;

/// What is decided by.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// This node.
    pub me: &'a NodeName,
    /// The cards that are to be divided.
    pub wanted: &'a [Wanted],
    /// The cards as they are.
    pub seen: &'a SriovTable,
    /// The cluster; `None` before it is known. Then nothing is taken from anybody.
    pub view: Option<&'a View>,
}

/// What there is to do, here and in the tree.
#[must_use]
pub fn plan(s: &Situation<'_>) -> Plan {
    let mut plan = Plan::default();
    let usage = s.view.map(|view| Usage::of(view, s.me));
    let tree = s.view.and_then(|view| own(view, s.me));
    if card::lacks_handing_through(s.wanted, s.seen) {
        plan.steps.push(Step::AllowHandingThrough);
    }
    for wanted in s.wanted {
        let pf = || wanted.device.clone();
        if let Some(why) = s.seen.unseen.get(&wanted.device) {
            plan.notes.push(Note::Unseen { pf: pf(), why: why.clone() });
            continue;
        }
        match s.seen.cards.get(&wanted.device) {
            None => plan.notes.push(Note::NoDevice { pf: pf() }),
            Some(card) if card.capacity.is_none() => plan.notes.push(Note::NoSriov { pf: pf() }),
            Some(card) => card::plan(wanted, card, tree, usage.as_ref(), &mut plan),
        }
    }
    if let Some((view, usage)) = s.view.zip(usage.as_ref()) {
        tree::plan(s, view, usage, &mut plan);
    }
    plan
}

/// This node's functions in the tree.
fn own<'a>(view: &'a View, me: &NodeName) -> Option<&'a Sriov> {
    view.nodes.get(me)?.sriov.as_deref()
}

/// The name of a card's function: `ens1f0v3`.
fn vf_name(pf: &SriovName, number: u32) -> Option<SriovName> {
    format!("{pf}v{number}").parse().ok()
}

/// The number of a function of this card; `None` if it is not this card's.
fn vf_number(pf: &SriovName, vf: &SriovName) -> Option<u32> {
    let number = vf.as_str().strip_prefix(pf.as_str())?.strip_prefix('v')?;
    let plain = number.bytes().all(|digit| digit.is_ascii_digit());
    number.parse().ok().filter(|_| plain)
}
