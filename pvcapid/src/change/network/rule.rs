//! Firewall rules of networks, which are in order.

use pvc_common::id::RuleName;
use pvc_common::model::Rule;
use pvc_common::zk::key::{self, Direction};

use super::found::Found;
use super::refuse;
use super::writes::Writes;
use crate::api::ApiError;
use crate::change::Change;

/// A rule that there shall be.
#[derive(Clone, Debug)]
pub(crate) struct NewRule {
    /// Its name, unique in the network.
    pub(crate) name: RuleName,
    /// What it matches and what becomes of that.
    pub(crate) text: String,
    /// What it is about.
    pub(crate) direction: Direction,
    /// How many rules of its direction are before it; the last by default.
    pub(crate) order: Option<u32>,
}

/// Adds a rule; those behind it move on.
pub(crate) fn add_rule(found: &Found, new: &NewRule) -> Result<Change, ApiError> {
    let (vni, name, direction) = (found.vni, &new.name, new.direction);
    found.existing()?.managed("its firewall is")?;
    if Direction::ALL.iter().any(|direction| found.has(&key::rule(vni, *direction, name))) {
        let why = format!("A rule with description '{name}' already exists!");
        return refuse("rule-exists", why);
    }
    let mut rules = found.network.rules_in_order(direction);
    let at = new.order.map_or(rules.len(), |order| rules.len().min(order as usize));
    let behind = rules.split_off(at);
    let mut writes = claimed(found);
    let parent = key::network_rules_of(vni, direction);
    if !found.has(&parent) {
        writes.extend([parent.create(&())]);
    }
    renumber(found, direction, &rules, 0, &mut writes);
    writes.extend([
        key::rule(vni, direction, name).create(&()),
        key::rule_text(vni, direction, name).create(&new.text),
        key::rule_order(vni, direction, name).create(&number(at)),
    ]);
    renumber(found, direction, &behind, at + 1, &mut writes);
    let message = format!("Firewall rule '{name}' added successfully!");
    Ok(Change { ops: writes.into_ops(), message })
}

/// Removes a rule; those behind it move up. Where upstream left two of a name, `direction` tells which.
pub(crate) fn remove_rule(
    found: &Found,
    name: &RuleName,
    direction: Option<Direction>,
) -> Result<Change, ApiError> {
    let vni = found.existing()?.vni;
    let mut places = Direction::ALL.to_vec();
    places.retain(|place| {
        direction.is_none_or(|direction| direction == *place)
            && found.has(&key::rule(vni, *place, name))
    });
    let direction = match places[..] {
        [direction] => direction,
        [] => {
            let why = format!("There is no firewall rule '{name}' in network '{}'.", found.name());
            return refuse("no-such-rule", why);
        }
        _ => {
            let why = format!("There is a rule '{name}' for each direction; say which, in or out.");
            return refuse("ambiguous", why);
        }
    };
    let mut rules = found.network.rules_in_order(direction);
    rules.retain(|(other, _)| *other != name);
    let mut writes = claimed(found);
    writes.extend(found.deletes(&key::rule(vni, direction, name)));
    renumber(found, direction, &rules, 0, &mut writes);
    let message = format!("Firewall rule '{name}' removed successfully!");
    Ok(Change { ops: writes.into_ops(), message })
}

/// A transaction that fails if somebody else changes rules of the network.
fn claimed(found: &Found) -> Writes {
    let mut writes = Writes::default();
    let parent = key::network_rules(found.vni);
    writes.claim(&parent, &found.seen(&parent));
    writes
}

/// Gives rules the numbers from `first` on.
fn renumber(
    found: &Found,
    direction: Direction,
    rules: &[(&RuleName, &Rule)],
    first: usize,
    writes: &mut Writes,
) {
    for (at, (name, rule)) in rules.iter().enumerate() {
        let key = key::rule_order(found.vni, direction, name);
        writes.put(&key, &rule.order, &number(first + at));
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
