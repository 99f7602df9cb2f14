//! Maintenance mode: no node is fenced, unless a person orders it.

use pvc_common::zk::{Seen, key};

use super::Change;

/// Switches maintenance on or off. An empty value, as after initialisation, is neither.
pub(crate) fn set_maintenance(seen: &Seen<String>, on: bool) -> Change {
    let mode = if on { "maintenance" } else { "normal" };
    let text = if on { "true" } else { "false" };
    if seen.get().is_some_and(|now| now == text) {
        return Change::nothing(format!("Cluster is already in {mode} mode"));
    }
    let put = key::maintenance().put(seen, &text.to_owned());
    Change::of([Some(put)], format!("Successfully set cluster in {mode} mode"))
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::Version;

    use super::*;

    fn now(text: &str) -> Seen<String> {
        Seen::Value { value: text.to_owned(), version: Version(4) }
    }

    #[test]
    fn a_new_cluster_can_be_set_to_normal() {
        assert_eq!(set_maintenance(&now(""), false).ops.len(), 1);
        assert_eq!(set_maintenance(&now("true"), false).ops.len(), 1);
    }

    #[test]
    fn what_is_already_so_is_not_written() {
        let change = set_maintenance(&now("true"), true);
        assert_eq!(change, Change::nothing("Cluster is already in maintenance mode"));
    }
}
