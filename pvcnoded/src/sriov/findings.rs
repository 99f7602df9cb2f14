//! What people are told of cards that are not as they shall be: one fault a card.

use std::collections::BTreeMap;

use pvc_common::id::{NodeName, SriovName};
use pvc_common::view::View;
use pvc_plan::sriov::{Plan, Step};

use crate::faults::Finding;
use crate::health;

/// As much as a warning.
const DELTA: u32 = 10;

/// So that many functions do not make a text that nobody reads.
const SHOWN: usize = 5;

pub(super) fn findings(
    me: &NodeName,
    view: &View,
    plan: &Plan,
    failed: &BTreeMap<Step, String>,
    unseen: Option<&str>,
) -> Vec<Finding> {
    let mut by_card: BTreeMap<Option<&SriovName>, Vec<String>> = BTreeMap::new();
    if let Some(why) = unseen {
        let what = format!("its cards cannot be looked at: {why}");
        by_card.entry(None).or_default().push(what);
    }
    for note in &plan.notes {
        by_card.entry(note.card()).or_default().push(note.text(view));
    }
    // What failed and is wanted no more is nobody's trouble.
    for (step, why) in failed.iter().filter(|(step, _)| plan.steps.contains(step)) {
        by_card.entry(step.card()).or_default().push(why.clone());
    }
    by_card.into_iter().filter_map(|(card, what)| finding(me, card, &what)).collect()
}

/// What the node's health check says, given what people are told of the cards.
pub(super) fn of_node(cards: usize, said: &[String]) -> health::Finding {
    if said.is_empty() {
        let message = format!("{cards} cards with SR-IOV are as configured");
        return health::Finding { delta: 0, message };
    }
    health::Finding { delta: DELTA, message: said.join("; ") }
}

fn finding(me: &NodeName, card: Option<&SriovName>, what: &[String]) -> Option<Finding> {
    let id = card.map_or_else(|| format!("SRIOV_{me}"), |card| format!("SRIOV_{me}_{card}"));
    let more = what.len().saturating_sub(SHOWN);
    let shown = what.iter().take(SHOWN).cloned();
    let shown: Vec<String> = shown.chain((more > 0).then(|| format!("and {more} more"))).collect();
    Some(Finding {
        id: id.to_uppercase().parse().ok()?,
        delta: DELTA,
        message: format!("SR-IOV of node {me}: {}", shown.join("; ")),
    })
}
