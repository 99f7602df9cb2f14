//! The znodes, and the rules by which they change.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::zk::{Op, Version};
use tokio::sync::watch;

use crate::error::CommitError;
use crate::outbox::Outbox;
use crate::path::{EPHEMERAL_PARENT, NO_PARENT, is_within, parent, refused};
use crate::tree::{Entry, Session};

/// Everything the clients of one tree share.
#[derive(Debug)]
pub(super) struct World {
    znodes: BTreeMap<String, Znode>,
    watches: Vec<Watch>,
    clients: u64,
}

#[derive(Clone, Debug, Default)]
struct Znode {
    data: Vec<u8>,
    version: i32,
    owner: Option<u64>,
    children: BTreeSet<String>,
    /// Children ever created: the number of the next sequential one.
    born: u32,
}

#[derive(Debug)]
struct Watch {
    client: u64,
    session: watch::Receiver<Session>,
    root: String,
    outbox: Outbox,
}

/// How to take back what an operation did.
enum Undo {
    Remove(String),
    Insert(String, Znode),
    Restore(String, Vec<u8>),
}

impl Default for World {
    fn default() -> Self {
        Self {
            znodes: BTreeMap::from([("/".to_owned(), Znode::default())]),
            watches: Vec::new(),
            clients: 0,
        }
    }
}

impl World {
    pub(super) fn next_client(&mut self) -> u64 {
        self.clients += 1;
        self.clients
    }

    pub(super) fn get(&self, path: &str) -> Option<Entry> {
        self.znodes.get(path).map(|znode| Entry {
            data: znode.data.clone(),
            version: Version(znode.version),
            children: u32::try_from(znode.children.len()).unwrap_or(u32::MAX),
            ephemeral: znode.owner.is_some(),
        })
    }

    pub(super) fn children(&self, path: &str) -> Option<Vec<String>> {
        let znode = self.znodes.get(path)?;
        Some(znode.children.iter().cloned().collect())
    }

    /// Applies all of `ops` for a client, or none.
    pub(super) fn apply(&mut self, client: u64, ops: &[Op]) -> Result<(), CommitError> {
        let mut done = Vec::with_capacity(ops.len());
        for op in ops {
            match self.apply_one(client, op) {
                Ok(undo) => done.extend(undo),
                Err(error) => {
                    for undo in done.into_iter().rev() {
                        self.take_back(undo);
                    }
                    return Err(error);
                }
            }
        }
        for undo in done {
            self.tell(&undo.into_path());
        }
        Ok(())
    }

    /// Creates the next sequential ephemeral znode of a client.
    pub(super) fn enlist(
        &mut self,
        client: u64,
        prefix: &str,
        data: Vec<u8>,
    ) -> Result<String, CommitError> {
        let number = parent(prefix)
            .and_then(|parent| self.znodes.get(parent))
            .map(|parent| parent.born)
            .ok_or_else(|| refused(prefix, NO_PARENT))?;
        let path = format!("{prefix}{number:010}");
        self.create(&path, data, Some(client))?;
        self.tell(&path);
        Ok(path)
    }

    /// Deletes what is ephemeral of a client.
    pub(super) fn drop_ephemerals(&mut self, client: u64) {
        let of_client =
            |(path, znode): (&String, &Znode)| (znode.owner == Some(client)).then(|| path.clone());
        let gone: Vec<String> = self.znodes.iter().filter_map(of_client).collect();
        for path in &gone {
            self.remove(path);
            self.tell(path);
        }
    }

    /// Adds a watch of a client; it begins with a resync once the client's session is live.
    pub(super) fn watch(
        &mut self,
        client: u64,
        session: watch::Receiver<Session>,
        root: &str,
        outbox: Outbox,
    ) {
        self.watches.retain(|watch| !watch.outbox.is_closed());
        if session.borrow().live().is_some() {
            outbox.resync();
        }
        self.watches.push(Watch { client, session, root: root.to_owned(), outbox });
    }

    /// Tells the watches of all live sessions that a path changed.
    fn tell(&self, path: &str) {
        for watch in &self.watches {
            if is_within(path, &watch.root) && watch.session.borrow().live().is_some() {
                watch.outbox.touched(path.to_owned());
            }
        }
    }

    /// Tells a client's watches that they may have missed something.
    pub(super) fn resync(&self, client: u64) {
        for watch in self.watches.iter().filter(|watch| watch.client == client) {
            watch.outbox.resync();
        }
    }

    fn apply_one(&mut self, client: u64, op: &Op) -> Result<Option<Undo>, CommitError> {
        match op {
            Op::Create { path, data } => self.create(path, data.clone(), None).map(Some),
            Op::CreateEphemeral { path, data } => {
                self.create(path, data.clone(), Some(client)).map(Some)
            }
            Op::Set { path, data, version } => {
                let znode = self.expect(path, *version)?;
                znode.version += 1;
                let before = std::mem::replace(&mut znode.data, data.clone());
                Ok(Some(Undo::Restore(path.clone(), before)))
            }
            Op::Delete { path, version } => {
                if !self.expect(path, *version)?.children.is_empty() {
                    return Err(superseded(path));
                }
                Ok(self.remove(path).map(|znode| Undo::Insert(path.clone(), znode)))
            }
            Op::Check { path, version } => self.expect(path, *version).map(|_| None),
        }
    }

    fn create(
        &mut self,
        path: &str,
        data: Vec<u8>,
        owner: Option<u64>,
    ) -> Result<Undo, CommitError> {
        let parent = parent(path)
            .and_then(|parent| self.znodes.get(parent))
            .ok_or_else(|| refused(path, NO_PARENT))?;
        let parent_is_ephemeral = parent.owner.is_some();
        if self.znodes.contains_key(path) {
            return Err(superseded(path));
        }
        if parent_is_ephemeral {
            return Err(refused(path, EPHEMERAL_PARENT));
        }
        let znode = Znode { data, owner, ..Znode::default() };
        self.insert(path, znode);
        Ok(Undo::Remove(path.to_owned()))
    }

    fn expect(&mut self, path: &str, version: Version) -> Result<&mut Znode, CommitError> {
        self.znodes
            .get_mut(path)
            .filter(|znode| znode.version == version.0)
            .ok_or_else(|| superseded(path))
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Remove(path) => {
                self.remove(&path);
            }
            Undo::Insert(path, znode) => self.insert(&path, znode),
            Undo::Restore(path, data) => {
                if let Some(znode) = self.znodes.get_mut(&path) {
                    znode.data = data;
                    znode.version -= 1;
                }
            }
        }
    }

    fn insert(&mut self, path: &str, znode: Znode) {
        self.znodes.insert(path.to_owned(), znode);
        if let Some((parent, name)) = self.parent_of(path) {
            parent.children.insert(name);
            parent.born += 1;
        }
    }

    fn remove(&mut self, path: &str) -> Option<Znode> {
        if let Some((parent, name)) = self.parent_of(path) {
            parent.children.remove(&name);
        }
        self.znodes.remove(path)
    }

    fn parent_of(&mut self, path: &str) -> Option<(&mut Znode, String)> {
        let name = path.rsplit_once('/')?.1.to_owned();
        let parent = self.znodes.get_mut(parent(path)?)?;
        Some((parent, name))
    }
}

impl Undo {
    fn into_path(self) -> String {
        match self {
            Self::Remove(path) | Self::Insert(path, _) | Self::Restore(path, _) => path,
        }
    }
}

fn superseded(path: &str) -> CommitError {
    CommitError::Superseded { path: path.to_owned() }
}
