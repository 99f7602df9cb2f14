//! `cargo xtask layers`: which of our crates may depend on which.
//!
//! Arrows only point down: the vocabulary knows nobody, decisions know the vocabulary, ports know
//! no decision and no other port, daemons know no daemon.

use anyhow::{Result, bail};

use crate::say;
use crate::workspace::{Package, Workspace};

/// Each crate with those of ours that it may depend on. What is not here is forbidden.
const ALLOWED: [(&str, &[&str]); 18] = [
    // L0, the vocabulary
    ("pvc-common", &[]),
    // L1, decisions and leaves
    ("pvc-plan", &["pvc-common"]),
    ("pvc-domxml", &["pvc-common"]),
    ("pvc-command", &[]),
    // L2, the ports
    ("pvc-zk", &["pvc-common"]),
    ("pvc-libvirt", &["pvc-common", "pvc-domxml", "pvc-command"]),
    ("pvc-host", &["pvc-common", "pvc-command"]),
    ("pvc-ipmi", &["pvc-common", "pvc-command"]),
    ("pvc-ceph", &["pvc-common", "pvc-command"]),
    ("pvc-database", &["pvc-common"]),
    // L3, what the programs share
    ("pvc-runtime", &["pvc-common"]),
    ("pvc-client", &["pvc-common"]),
    // L4, the programs
    (
        "pvcnoded",
        &[
            "pvc-common",
            "pvc-plan",
            "pvc-domxml",
            "pvc-command",
            "pvc-zk",
            "pvc-libvirt",
            "pvc-host",
            "pvc-ipmi",
            "pvc-ceph",
            "pvc-database",
            "pvc-runtime",
        ],
    ),
    (
        "pvcapid",
        &["pvc-common", "pvc-plan", "pvc-domxml", "pvc-zk", "pvc-host", "pvc-ceph", "pvc-runtime"],
    ),
    // The client edits definitions itself, but never sees ZooKeeper or a port.
    ("pvc-cli", &["pvc-common", "pvc-domxml", "pvc-runtime", "pvc-client"]),
    // L5, what looks at the whole
    ("pvc-e2e", &["pvc-common", "pvc-zk", "pvc-libvirt", "pvc-client"]),
    ("pvc-sim", &["pvc-common", "pvc-plan"]),
    ("xtask", &[]),
];

/// What the pure crates may use of the outside: nothing that does I/O, tells the time or awaits.
const PURE: [(&str, &[&str]); 3] = [
    ("pvc-common", &["ipnet", "roxmltree", "serde", "serde_json", "thiserror", "utoipa", "uuid"]),
    ("pvc-plan", &["ipnet", "thiserror"]),
    ("pvc-domxml", &["roxmltree", "thiserror", "uuid", "xmltree"]),
];

/// Checks every crate of the workspace.
///
/// # Errors
/// Names every dependency that points the wrong way.
pub(crate) fn run() -> Result<()> {
    let packages = Workspace::ours()?.packages;
    let wrong: Vec<String> = packages.iter().flat_map(wrong_in).collect();
    if wrong.is_empty() {
        say::note(&format!("layers: {} crates, every arrow points down", packages.len()));
        return Ok(());
    }
    for line in &wrong {
        say::note(line);
    }
    bail!("{} dependencies break the layers; see docs/ARCHITECTURE.md", wrong.len())
}

/// The dependencies of `package` that it may not have.
fn wrong_in(package: &Package) -> Vec<String> {
    let name = &package.name;
    let Some(allowed) = row(&ALLOWED, name) else {
        return vec![format!("{name} has no place in the table of xtask/src/layers.rs")];
    };
    let pure = row(&PURE, name);
    let mut wrong = Vec::new();
    for dependency in &package.dependencies {
        let other = dependency.name.as_str();
        let ours = dependency.path.is_some();
        // Tests may bring what they like from outside, and a crate's own fakes.
        let for_tests = dependency.kind.as_deref() == Some("dev");
        if ours && other != name && !allowed.contains(&other) {
            wrong.push(format!("{name} may not depend on {other}"));
        }
        if !ours && !for_tests && pure.is_some_and(|pure| !pure.contains(&other)) {
            wrong.push(format!("{name} is pure and may not use {other}"));
        }
    }
    wrong
}

fn row<'a>(table: &'a [(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    table.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, row)| *row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[(&str, bool, Option<&str>)]) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            license: None,
            targets: Vec::new(),
            dependencies: dependencies
                .iter()
                .map(|(name, ours, kind)| Dependency {
                    name: (*name).into(),
                    kind: kind.map(Into::into),
                    path: ours.then(|| "/somewhere".into()),
                })
                .collect(),
        }
    }

    #[test]
    fn a_port_may_not_know_a_decision_not_even_in_its_tests() {
        let port = package("pvc-zk", &[("pvc-plan", true, Some("dev"))]);
        assert_eq!(wrong_in(&port), ["pvc-zk may not depend on pvc-plan"]);
    }

    #[test]
    fn a_pure_crate_may_not_await_but_its_tests_may_use_what_they_like() {
        let plan = package("pvc-plan", &[("tokio", false, None), ("proptest", false, Some("dev"))]);
        assert_eq!(wrong_in(&plan), ["pvc-plan is pure and may not use tokio"]);
    }

    #[test]
    fn a_crate_without_a_place_is_refused() {
        assert_eq!(wrong_in(&package("pvc-util", &[])).len(), 1);
    }

    #[test]
    fn the_table_itself_has_no_circle() {
        for (position, (name, allowed)) in ALLOWED.iter().enumerate() {
            for other in *allowed {
                let below = ALLOWED[..position].iter().any(|(lower, _)| lower == other);
                assert!(below, "{name} depends on {other}, which is not below it");
            }
        }
    }
}
