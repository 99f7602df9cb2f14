//! What a scenario runs on: a tree, more clients of it, and its accidents.

use std::time::Duration;

use pvc_common::zk::{Op, Version};
use pvc_zk::testing::ZooKeeperServer;
use pvc_zk::{Change, FakeTree, Session, Settings, Tree, ZkTree};
use tokio::sync::{mpsc, watch};

/// Longer than anything takes on a busy machine; reached only when something is wrong.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A tree to test, and what can be done to it.
pub(crate) trait Rig {
    /// The kind of tree.
    type Tree: Tree + std::fmt::Debug;

    /// A branch of this scenario's own, which exists.
    fn root(&self) -> &str;
    /// A client with a live session that survives an interruption.
    async fn client(&self) -> Self::Tree;
    /// A client with a live session that is easy to end.
    async fn mortal(&self) -> Self::Tree;
    /// A client that gives up a call after a second.
    async fn hasty(&self) -> Self::Tree;
    /// Breaks all connections; sessions of clients go on.
    async fn interrupt(&mut self, clients: &[&Self::Tree]);
    /// Ends the session of a mortal client; returns when the next one lives.
    async fn expire(&mut self, mortal: &Self::Tree);
    /// Lets a client hear nothing from now on.
    async fn silence(&mut self, client: &Self::Tree);
    /// Lets it hear again.
    async fn hear(&mut self, client: &Self::Tree);

    /// A path below the root.
    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.root())
    }
}

/// The fake.
pub(crate) struct Fake(FakeTree);

impl Fake {
    pub(crate) async fn new() -> Self {
        let tree = FakeTree::new();
        tree.commit(vec![create("/root", "")]).await.unwrap();
        Self(tree)
    }
}

impl Rig for Fake {
    type Tree = FakeTree;

    fn root(&self) -> &'static str {
        "/root"
    }

    async fn client(&self) -> FakeTree {
        self.0.another()
    }

    async fn mortal(&self) -> FakeTree {
        self.0.another()
    }

    async fn hasty(&self) -> FakeTree {
        self.0.another_with_limit(Duration::from_secs(1))
    }

    async fn interrupt(&mut self, clients: &[&FakeTree]) {
        clients.iter().for_each(|client| client.suspend());
        clients.iter().for_each(|client| client.resume());
    }

    async fn expire(&mut self, mortal: &FakeTree) {
        mortal.expire();
    }

    async fn silence(&mut self, client: &FakeTree) {
        client.suspend();
    }

    async fn hear(&mut self, client: &FakeTree) {
        client.resume();
    }
}

/// A real server.
pub(crate) struct Real {
    server: ZooKeeperServer,
    root: String,
}

impl Real {
    pub(crate) async fn start() -> Self {
        let server = ZooKeeperServer::start().await;
        Self { server: server.unwrap_or_else(|error| panic!("{error}")), root: String::new() }
    }

    /// Gives the next scenario a branch of its own.
    pub(crate) async fn enter(&mut self, scenario: &str) {
        self.root = format!("/{scenario}");
        let tree = self.client().await;
        tree.commit(vec![create(&self.root, "")]).await.unwrap();
    }

    async fn connect(&self, session_timeout: Duration, call_limit: Duration) -> ZkTree {
        let settings = Settings { session_timeout, call_limit };
        let tree = ZkTree::connect(vec![self.server.address()], settings);
        live(&tree).await;
        tree
    }
}

impl Rig for Real {
    type Tree = ZkTree;

    fn root(&self) -> &str {
        &self.root
    }

    async fn client(&self) -> ZkTree {
        self.connect(Duration::from_secs(40), Duration::from_secs(20)).await
    }

    async fn mortal(&self) -> ZkTree {
        self.connect(Duration::from_secs(2), Duration::from_secs(20)).await
    }

    async fn hasty(&self) -> ZkTree {
        self.connect(Duration::from_secs(40), Duration::from_secs(1)).await
    }

    async fn interrupt(&mut self, clients: &[&ZkTree]) {
        let sessions: Vec<_> = clients.iter().map(|client| client.session()).collect();
        self.server.kill9();
        for mut session in sessions {
            reach(&mut session, |session| session.live().is_none()).await;
        }
        self.server.restart().await.unwrap();
        for client in clients {
            live(*client).await;
        }
    }

    async fn expire(&mut self, mortal: &ZkTree) {
        let mut session = mortal.session();
        self.server.pause().unwrap();
        reach(&mut session, |session| *session == Session::Connecting).await;
        self.server.resume().unwrap();
        live(mortal).await;
    }

    async fn silence(&mut self, _client: &ZkTree) {
        self.server.pause().unwrap();
    }

    async fn hear(&mut self, client: &ZkTree) {
        self.server.resume().unwrap();
        live(client).await;
    }
}

/// Waits for a live session; returns its epoch.
pub(crate) async fn live(tree: &impl Tree) -> u64 {
    let mut session = tree.session();
    let session = reach(&mut session, |session| session.live().is_some()).await;
    session.live().unwrap()
}

/// Waits until a channel shows what is wanted, and returns it.
pub(crate) async fn reach<T: Clone + std::fmt::Debug>(
    channel: &mut watch::Receiver<T>,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let seen = tokio::time::timeout(LIMIT, channel.wait_for(|value| wanted(value)))
        .await
        .map(|value| value.unwrap().clone());
    seen.unwrap_or_else(|_| panic!("after {LIMIT:?} still {:?}", *channel.borrow()))
}

/// The next change, which must come.
pub(crate) async fn next(changes: &mut mpsc::Receiver<Change>) -> Change {
    let change = tokio::time::timeout(LIMIT, changes.recv()).await;
    change.expect("a change comes").expect("the watch goes on")
}

pub(crate) fn touched(path: impl Into<String>) -> Change {
    Change::Touched(path.into())
}

pub(crate) fn create(path: impl Into<String>, data: &str) -> Op {
    Op::Create { path: path.into(), data: data.into() }
}

pub(crate) fn set(path: impl Into<String>, data: &str, version: i32) -> Op {
    Op::Set { path: path.into(), data: data.into(), version: Version(version) }
}

pub(crate) fn delete(path: impl Into<String>, version: i32) -> Op {
    Op::Delete { path: path.into(), version: Version(version) }
}

pub(crate) fn check(path: impl Into<String>, version: i32) -> Op {
    Op::Check { path: path.into(), version: Version(version) }
}
