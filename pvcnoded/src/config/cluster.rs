//! What is the same on every node: the coordinators, and their databases.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::secret::Secret;
use pvc_runtime::config::{HOST_PORT, Kind, NAME, PORT, Section, TEXT};

/// The port of ZooKeeper on every coordinator.
const ZOOKEEPER_PORT: u16 = 2181;

/// How many times as likely a coordinator connects to its own server as to each other one. More
/// would make one that hangs, but takes connections, harder to get away from.
const OWN_ODDS: usize = 6;

/// The cluster as its nodes are told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name; `None` leaves the name in the tree alone.
    pub name: Option<String>,
    /// Host names of the coordinators. Never empty.
    pub coordinators: Vec<String>,
    /// Members of the ZooKeeper ensemble, as `host:port`.
    pub zookeeper: Vec<String>,
    /// How long ZooKeeper waits for a node before it ends its session.
    pub session_timeout: Duration,
}

/// Below, an ordinary election of the ensemble ends the sessions of healthy nodes.
const SESSION_TIMEOUT: Kind<Duration> = Kind {
    expected: "a whole number of seconds from 10 to 300",
    parse: |text| {
        let seconds = text.parse().ok().filter(|s| (10..=300).contains(s))?;
        Some(Duration::from_secs(seconds))
    },
};

impl Cluster {
    pub(super) fn read(cluster: &Section<'_>) -> Option<Self> {
        let name = cluster.optional("name", TEXT);
        if !cluster.has("coordinators") {
            // Asked for as required: it has no default, unlike other lists.
            cluster.required("coordinators", NAME);
        }
        let coordinators = cluster.list("coordinators", NAME)?;
        if coordinators.is_empty() {
            cluster.refuse("coordinators", "at least one coordinator");
        }
        let zookeeper = cluster.list("zookeeper", HOST_PORT);
        let session_timeout =
            cluster.or("session_timeout", SESSION_TIMEOUT, Duration::from_secs(10));
        let zookeeper = zookeeper.filter(|members| !members.is_empty());
        let on_coordinators = || {
            let members = coordinators.iter();
            members.map(|host| format!("{host}:{ZOOKEEPER_PORT}")).collect()
        };
        Some(Self {
            name,
            zookeeper: zookeeper.unwrap_or_else(on_coordinators),
            coordinators,
            session_timeout,
        })
    }

    /// The members of the ensemble in the proportion in which `node` should connect to them: a
    /// coordinator to its own, mostly. Its own server dies with it, whereas the death of another
    /// host is noticed on a connection only after two fifths of the session time-out, and a
    /// coordinator that waits for that cannot say that the host is dead. The client library
    /// shuffles what it is given before each attempt, so the odds are all that can be set.
    #[must_use]
    pub fn connections(&self, node: &NodeName) -> Vec<String> {
        let is_own = |member: &&String| {
            member.split([':', '.']).next() == Some(node.as_str()) && self.has_coordinator(node)
        };
        let own = self.zookeeper.iter().find(is_own);
        let again = own.into_iter().flat_map(|own| std::iter::repeat_n(own, OWN_ODDS - 1));
        again.chain(&self.zookeeper).cloned().collect()
    }

    /// Whether `node` is listed, by its short or its full name.
    pub(super) fn has_coordinator(&self, node: &NodeName) -> bool {
        self.coordinators.iter().any(|host| host.split('.').next() == Some(node.as_str()))
    }
}

/// A PostgreSQL database.
#[derive(Clone)]
pub struct Database {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Name of the database.
    pub name: String,
    /// Who logs in.
    pub user: String,
    /// With which password.
    pub password: Secret<String>,
}

/// The databases of the coordinators.
#[derive(Clone)]
pub struct Databases {
    /// Of the DNS aggregator.
    pub dns: Database,
    /// Of the metadata service.
    pub metadata: Database,
}

pub(super) fn read_databases(pvc: &Section<'_>) -> Option<Databases> {
    pvc.optional_section("coordinator", |coordinator| {
        let at =
            |key| coordinator.section(key, |service| service.section("database", Database::read));
        let (dns, metadata) = (at("dns"), at("metadata"));
        Some(Databases { dns: dns?, metadata: metadata? })
    })
}

impl Database {
    fn read(database: &Section<'_>) -> Option<Self> {
        let host = database.required("host", NAME);
        let port = database.required("port", PORT);
        let name = database.required("name", TEXT);
        let user = database.required("user", TEXT);
        let password = database.secret("pass");
        Some(Self { host: host?, port: port?, name: name?, user: user?, password: password? })
    }
}
