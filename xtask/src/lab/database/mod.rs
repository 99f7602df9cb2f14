//! PostgreSQL on the coordinators, for labs that were brought up with `--database`: Debian's
//! Patroni replicates it with the lab's ZooKeeper as its store, and PowerDNS' tables are in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::host::{Host, Network};
use super::identity::coordinators;
use super::layout::Lab;
use super::template::fill;
use super::{each, enter};
use crate::wait;

/// Debian packages of the layer.
pub(crate) const PACKAGES: [&str; 6] = [
    "bind9-dnsutils",
    "patroni",
    "pdns-backend-pgsql",
    "pdns-server",
    "postgresql-15",
    "python3-kazoo",
];

/// Debian would make a database of its own, which nobody needs.
const NO_OTHER: (&str, &str) =
    ("etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n");

/// Units that have no business in a host of the lab.
const MASKED: [&str; 2] = ["pdns.service", "postgresql.service"];

const MAKE: &str = include_str!("../../../lab/database/make.sh");

/// How long the databases may take to come together, on a busy machine: 20 s on an idle one.
const TOGETHER: Duration = Duration::from_secs(240);

const EVERY: Duration = Duration::from_millis(500);

/// Everything that, when it changes, makes the layer another one.
pub(crate) fn recipe() -> String {
    format!("{PACKAGES:?}{NO_OTHER:?}{MASKED:?}")
}

/// What has to be there before the packages come.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn prepare_layer(layer: &Path) -> Result<()> {
    let (path, text) = NO_OTHER;
    let path = layer.join(path);
    fs::create_dir_all(path.parent().unwrap_or(layer))?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    let units = layer.join("etc/systemd/system");
    fs::create_dir_all(&units)?;
    for unit in MASKED {
        symlink("/dev/null", units.join(unit)).with_context(|| format!("cannot mask {unit}"))?;
    }
    Ok(())
}

/// A host's files, with paths relative to its root.
pub(crate) fn files(host: Host, hosts: &[Host]) -> Vec<(String, String)> {
    let members = coordinators(hosts);
    if !members.contains(&host) {
        return Vec::new();
    }
    let (node, cluster) = (host.to_string(), Network::Cluster.of(host).to_string());
    let members = members.iter().map(|host| format!("'{}:2181'", Network::Cluster.of(*host)));
    let members = members.collect::<Vec<_>>().join(", ");
    let values = [("node", node.as_str()), ("cluster", &cluster), ("members", &members)];
    let text = fill(include_str!("../../../lab/database/patroni.yml"), &values);
    vec![("etc/patroni/config.yml".to_owned(), text)]
}

/// Starts what does not run yet, waits until one leads and all others follow it, and makes the
/// databases that are missing.
///
/// # Errors
/// When they do not come together in time.
pub(crate) fn start(lab: &Lab, hosts: &[Host]) -> Result<()> {
    let members = coordinators(hosts);
    let first = *members.first().context("a lab without hosts")?;
    each::host(members, |host| {
        let start = "install -d -o postgres -g postgres /var/lib/postgresql/15 && \
                     systemctl --quiet enable --now patroni.service";
        let limit = Duration::from_secs(120);
        enter::run(lab, host, ["sh", "-c", start])?.limit(limit).done().map(drop)
    })?;
    let leader = wait::until("PostgreSQL to serve", TOGETHER, EVERY, || {
        let page = format!("http://{}:8008/cluster", Network::Cluster.of(first));
        let answer = enter::output(lab, first, ["curl", "--silent", "--max-time", "5", &page])?;
        match leader(&serde_json::from_str(&answer)?, members.len()) {
            Some(leader) => Ok(Some(leader)),
            None => bail!("{}", answer.trim()),
        }
    })?;
    let leader = members.iter().find(|host| host.to_string() == leader);
    let leader = *leader.context("a leader that is no host")?;
    enter::run(lab, leader, ["sh"])?
        .input(MAKE)
        .limit(Duration::from_secs(60))
        .done()
        .map(drop)
        .context("cannot make the databases")
}

/// Who leads, once all members run.
fn leader(cluster: &Value, count: usize) -> Option<String> {
    let members = cluster["members"].as_array()?;
    let runs = |member: &&Value| matches!(member["state"].as_str(), Some("running" | "streaming"));
    if members.iter().filter(runs).count() != count {
        return None;
    }
    let leader = members.iter().find(|member| member["role"] == "leader")?;
    Some(leader["name"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_coordinators_have_a_database() {
        let hosts = Host::first(5);
        assert!(files(hosts[4], &hosts).is_empty());
        let (path, text) = files(hosts[1], &hosts).remove(0);
        assert_eq!(path, "etc/patroni/config.yml");
        assert!(text.contains("name: hv2\n") && text.contains("listen: 10.255.0.2:8008\n"));
        assert!(text.contains("hosts: ['10.255.0.1:2181', '10.255.0.2:2181', '10.255.0.3:2181']"));
        assert!(!text.contains("{{"), "{text}");
    }

    #[test]
    fn there_is_a_leader_once_all_run() {
        let cluster = |state: &str| {
            json!({"members": [{"name": "hv1", "role": "replica", "state": state},
                               {"name": "hv2", "role": "leader", "state": "running"}]})
        };
        assert_eq!(leader(&cluster("running"), 2).as_deref(), Some("hv2"));
        assert_eq!(leader(&cluster("streaming"), 2).as_deref(), Some("hv2"));
        assert_eq!(leader(&cluster("starting"), 2), None);
        assert_eq!(leader(&cluster("running"), 3), None);
    }
}
