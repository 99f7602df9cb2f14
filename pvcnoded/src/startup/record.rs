//! This node's record in the tree: made once, refreshed at every start.

use pvc_common::id::NodeName;
use pvc_common::model::{Presence, StaticData};
use pvc_common::secret::Secret;
use pvc_common::state::{CoordinatorState, DaemonMode, DaemonState, DomainState, Word};
use pvc_common::zk::key::{self, node_suffix as suffix};
use pvc_common::zk::{Expected, Op, Text};
use pvc_zk::{CommitError, Tree, TreeError};

use super::presence;

/// What this node tells of itself.
#[derive(Clone)]
pub struct Identity {
    /// This node.
    pub node: NodeName,
    /// Coordinator or hypervisor.
    pub mode: DaemonMode,
    /// Processors, kernel, operating system, architecture.
    pub static_data: StaticData,
    /// Version of this daemon.
    pub version: String,
    /// Schema version it has loaded.
    pub active_schema: u32,
    /// Newest schema version it could load.
    pub latest_schema: u32,
    /// Host name, user and password of its BMC.
    pub ipmi: (String, String, Secret<String>),
    /// What it tells of its host for the time when it no longer can.
    pub presence: Presence,
    /// UNIX seconds, for a node that has no keepalive yet.
    pub now: u64,
}

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// What is there could not be read.
    #[error(transparent)]
    Read(#[from] TreeError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] CommitError),
}

/// What to do about a key.
enum Rule {
    /// It shall say this from now on.
    Say(String),
    /// It says this until somebody says otherwise; what is there stays.
    Begin(String),
    /// It shall say this, unless it says that the part of the primary is or may be here: the
    /// addresses outlive a daemon that died, and must be laid down before anybody is told so.
    Rest(String),
}

impl Rule {
    /// What to write over what is there.
    fn replacement(self, before: &[u8]) -> Option<String> {
        match self {
            Self::Say(text) => (before != text.as_bytes()).then_some(text),
            Self::Begin(_) => None,
            Self::Rest(text) => {
                let holding = [
                    CoordinatorState::Takeover,
                    CoordinatorState::Primary,
                    CoordinatorState::Relinquish,
                ];
                let stays = holding.iter().any(|state| before == state.text().as_bytes());
                (!stays && before != text.as_bytes()).then_some(text)
            }
        }
    }
}

/// Makes or refreshes this node's record, in one transaction; `true` if the node is new.
///
/// A new node takes no VMs (it is `flushed`) until a person makes it ready. A known one keeps
/// its domain state: whether it takes VMs is not for its daemon to decide.
///
/// # Errors
/// [`CommitError::Superseded`] when somebody else wrote there meanwhile: do it again.
pub async fn write<T: Tree>(tree: &T, identity: &Identity) -> Result<bool, RecordError> {
    let root = key::node(&identity.node).into_path();
    let rules = rules(identity);
    let paths: Vec<String> = rules.iter().map(|(suffix, _)| format!("{root}{suffix}")).collect();
    let found = tree.get_many(&paths).await?;
    let is_new = found.first().is_none_or(Option::is_none);
    let mut ops = Vec::new();
    for ((path, (_, rule)), entry) in paths.into_iter().zip(rules).zip(found) {
        match (rule, entry) {
            (Rule::Say(text) | Rule::Begin(text) | Rule::Rest(text), None) => {
                ops.push(Op::put(path, text, Expected::Absent));
            }
            (rule, Some(entry)) => {
                let text = rule.replacement(&entry.data);
                ops.extend(text.map(|text| Op::put(path, text, Expected::Version(entry.version))));
            }
        }
    }
    ops.extend(presence::told(tree, &identity.node, &identity.presence).await?);
    tree.commit(ops).await?;
    Ok(is_new)
}

/// Every key of a node, parents first.
fn rules(identity: &Identity) -> Vec<(&'static str, Rule)> {
    let say = |text: &str| Rule::Say(text.to_owned());
    let begin = |text: &str| Rule::Begin(text.to_owned());
    let coordinator_state = match identity.mode {
        DaemonMode::Coordinator => Rule::Rest(CoordinatorState::Secondary.text().to_owned()),
        DaemonMode::Hypervisor => say(CoordinatorState::Client.text()),
    };
    let (host, user, password) = &identity.ipmi;
    vec![
        ("", say(identity.mode.text())),
        (suffix::MODE, say(identity.mode.text())),
        (suffix::DAEMON_STATE, say(DaemonState::Init.text())),
        (suffix::COORDINATOR_STATE, coordinator_state),
        (suffix::DOMAIN_STATE, begin(DomainState::Flushed.text())),
        (suffix::STATIC_DATA, say(&identity.static_data.encode())),
        (suffix::PVC_VERSION, say(&identity.version)),
        (suffix::ACTIVE_SCHEMA, say(&identity.active_schema.to_string())),
        (suffix::LATEST_SCHEMA, say(&identity.latest_schema.to_string())),
        (suffix::IPMI_HOSTNAME, say(host)),
        (suffix::IPMI_USERNAME, say(user)),
        (suffix::IPMI_PASSWORD, say(password.reveal())),
        (suffix::KEEPALIVE, begin(&identity.now.to_string())),
        (suffix::RUNNING_DOMAINS, begin("")),
        (suffix::DOMAINS_COUNT, begin("0")),
        (suffix::NETWORKS_COUNT, begin("0")),
        (suffix::CPU_LOAD, begin("0.00")),
        (suffix::VCPU_ALLOC, begin("0")),
        (suffix::MEM_TOTAL, begin("0")),
        (suffix::MEM_USED, begin("0")),
        (suffix::MEM_FREE, begin("0")),
        (suffix::MEM_ALLOC, begin("0")),
        (suffix::MEM_PROV, begin("0")),
        (suffix::SRIOV, begin("")),
        (suffix::SRIOV_PF, begin("")),
        (suffix::SRIOV_VF, begin("")),
        (suffix::MONITORING_PLUGINS, begin("")),
        (suffix::MONITORING_DATA, begin("")),
        (suffix::MONITORING_HEALTH, begin("None")),
        (suffix::NETWORK_STATS, begin("{}")),
        (suffix::SUSPICIONS, begin("")),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pvc_common::model::FenceLease;
    use pvc_common::state::LeaseKind;
    use pvc_common::zk::Seen;
    use pvc_zk::FakeTree;

    use super::*;

    fn identity() -> Identity {
        Identity {
            node: "hv1".parse().unwrap(),
            mode: DaemonMode::Coordinator,
            static_data: StaticData {
                cpu_count: 4,
                kernel: "6.1.0".to_owned(),
                os: "GNU/Linux".to_owned(),
                arch: "x86_64".to_owned(),
            },
            version: "2.0.0".to_owned(),
            active_schema: 16,
            latest_schema: 16,
            ipmi: ("bmc".to_owned(), "admin".to_owned(), Secret::new("secret".to_owned())),
            presence: Presence { boot: "b".to_owned(), ..Presence::default() },
            now: 1_700_000_000,
        }
    }

    async fn tree() -> FakeTree {
        let tree = FakeTree::new();
        tree.commit(vec![Op::put(key::NODES, "", Expected::Absent)]).await.unwrap();
        tree
    }

    async fn text(tree: &FakeTree, path: &str) -> String {
        let entry = tree.get(path).await.unwrap().unwrap_or_else(|| panic!("no {path}"));
        String::from_utf8(entry.data).unwrap()
    }

    #[tokio::test]
    async fn a_new_node_is_recorded_whole_and_takes_no_vms() {
        let tree = tree().await;
        assert!(write(&tree, &identity()).await.unwrap());
        for (path, expected) in [
            ("/nodes/hv1", "coordinator"),
            ("/nodes/hv1/daemonstate", "init"),
            ("/nodes/hv1/routerstate", "secondary"),
            ("/nodes/hv1/domainstate", "flushed"),
            ("/nodes/hv1/staticdata", "4 6.1.0 GNU/Linux x86_64"),
            ("/nodes/hv1/keepalive", "1700000000"),
            ("/nodes/hv1/ipmipassword", "secret"),
            ("/nodes/hv1/sriov/pf", ""),
        ] {
            assert_eq!(text(&tree, path).await, expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_known_node_keeps_its_domain_state_and_gets_its_credentials_anew() {
        let tree = tree().await;
        write(&tree, &identity()).await.unwrap();
        let state = key::node_domain_state(&identity().node);
        let entry = tree.get(state.path()).await.unwrap();
        let seen = Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
        tree.commit(vec![state.put(&seen, &DomainState::Ready)]).await.unwrap();
        let changed = Identity {
            ipmi: ("bmc".to_owned(), "admin".to_owned(), Secret::new("newer".to_owned())),
            now: 1_800_000_000,
            ..identity()
        };
        assert!(!write(&tree, &changed).await.unwrap());
        assert_eq!(text(&tree, "/nodes/hv1/domainstate").await, "ready");
        assert_eq!(text(&tree, "/nodes/hv1/ipmipassword").await, "newer");
        assert_eq!(text(&tree, "/nodes/hv1/keepalive").await, "1700000000");
    }

    #[tokio::test]
    async fn a_primary_that_died_is_not_called_secondary_while_it_has_the_addresses() {
        let tree = tree().await;
        write(&tree, &identity()).await.unwrap();
        let key = key::node_coordinator_state(&identity().node);
        for (state, after) in [
            (CoordinatorState::Primary, "primary"),
            (CoordinatorState::Takeover, "takeover"),
            (CoordinatorState::Relinquish, "relinquish"),
            (CoordinatorState::Client, "secondary"),
        ] {
            let entry = tree.get(key.path()).await.unwrap();
            let seen = Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
            tree.commit(vec![key.put(&seen, &state)]).await.unwrap();
            write(&tree, &identity()).await.unwrap();
            assert_eq!(text(&tree, key.path()).await, after);
        }
        let hypervisor = Identity { mode: DaemonMode::Hypervisor, ..identity() };
        write(&tree, &hypervisor).await.unwrap();
        assert_eq!(text(&tree, key.path()).await, "client");
    }

    #[tokio::test]
    async fn what_a_former_boot_promised_is_promised_no_more() {
        let (tree, key) = (tree().await, key::node_lease(&identity().node));
        write(&tree, &identity()).await.unwrap();
        let voters = BTreeSet::from(["hv2".parse().unwrap()]);
        let lease = FenceLease { kind: LeaseKind::Device, ms: 3_600, voters };
        tree.commit(vec![key.create(&Some(lease.clone()))]).await.unwrap();
        write(&tree, &identity()).await.unwrap();
        assert_eq!(text(&tree, key.path()).await, Some(lease).encode(), "the same boot keeps it");
        let presence = Presence { boot: "c".to_owned(), ..identity().presence };
        write(&tree, &Identity { presence, ..identity() }).await.unwrap();
        assert_eq!(text(&tree, key.path()).await, None::<FenceLease>.encode());
    }

    #[tokio::test]
    async fn what_an_older_version_left_out_is_added() {
        let tree = tree().await;
        write(&tree, &identity()).await.unwrap();
        let path = "/nodes/hv1/network_stats";
        let entry = tree.get(path).await.unwrap().unwrap();
        let delete = Op::Delete { path: path.to_owned(), version: entry.version };
        tree.commit(vec![delete]).await.unwrap();
        assert!(!write(&tree, &identity()).await.unwrap());
        assert_eq!(text(&tree, path).await, "{}");
    }
}
