//! The tree: znodes with versions, ephemeral ones by session, and transactions that are atomic.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pvc_common::zk::{Op, Version};

/// Which session.
pub type SessionId = usize;

/// A change of a path, as watches report it.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where.
    pub path: Arc<str>,
    /// What is there now, unless it is gone.
    pub data: Option<(Arc<[u8]>, Version)>,
}

#[derive(Clone, Debug)]
struct Znode {
    data: Arc<[u8]>,
    version: i32,
    owner: Option<SessionId>,
    children: usize,
}

/// A path at which a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superseded(pub String);

/// The tree, with all that ever changed in it.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    znodes: HashMap<Arc<str>, Znode>,
    changes: Vec<Change>,
    ephemerals: BTreeMap<SessionId, Vec<Arc<str>>>,
}

impl Tree {
    /// How many changes there were.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes from the one of this number on.
    #[must_use]
    pub fn since(&self, number: usize) -> &[Change] {
        self.changes.get(number..).unwrap_or_default()
    }

    /// What a path holds now.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(&[u8], Version)> {
        self.znodes.get(path).map(|znode| (&*znode.data, Version(znode.version)))
    }

    /// Everything that there is, parents first: what one reads who begins to look.
    pub fn everything(&self) -> Vec<Change> {
        let mut all: Vec<_> = self.znodes.iter().collect();
        all.sort_unstable_by_key(|(path, _)| *path);
        let change = |(path, znode): (&Arc<str>, &Znode)| Change {
            path: Arc::clone(path),
            data: Some((Arc::clone(&znode.data), Version(znode.version))),
        };
        all.into_iter().map(change).collect()
    }

    /// Does all of a transaction, or nothing.
    ///
    /// # Errors
    /// Names the path that is not as it was expected to be.
    pub fn apply(&mut self, ops: &[Op], session: SessionId) -> Result<(), Superseded> {
        for op in ops {
            // Create and delete of one path in a transaction do not occur; parents may.
            if !self.fits(op, ops) {
                return Err(Superseded(op.path().to_owned()));
            }
        }
        for op in ops {
            self.enact(op, session);
        }
        Ok(())
    }

    fn fits(&self, op: &Op, all: &[Op]) -> bool {
        let znode = self.znodes.get(op.path());
        match op {
            Op::Create { path, .. } | Op::CreateEphemeral { path, .. } => {
                let parent = parent(path);
                let made = || all.iter().any(|op| op.path() == parent);
                znode.is_none() && (parent.is_empty() || self.znodes.contains_key(parent) || made())
            }
            Op::Set { version, .. } | Op::Check { version, .. } => {
                znode.is_some_and(|znode| znode.version == version.0)
            }
            Op::Delete { version, .. } => {
                znode.is_some_and(|znode| znode.version == version.0 && znode.children == 0)
            }
        }
    }

    fn enact(&mut self, op: &Op, session: SessionId) {
        match op {
            Op::Create { path, data } => self.create(path, data, None),
            Op::CreateEphemeral { path, data } => self.create(path, data, Some(session)),
            Op::Set { path, data, .. } => {
                let Some((path, _)) = self.znodes.get_key_value(path.as_str()) else { return };
                let path = Arc::clone(path);
                let Some(znode) = self.znodes.get_mut(&path) else { return };
                znode.data = data.as_slice().into();
                znode.version += 1;
                let data = Some((Arc::clone(&znode.data), Version(znode.version)));
                self.changes.push(Change { path, data });
            }
            Op::Delete { path, .. } => self.remove(path),
            Op::Check { .. } => {}
        }
    }

    fn create(&mut self, path: &str, data: &[u8], owner: Option<SessionId>) {
        let (path, data): (Arc<str>, Arc<[u8]>) = (path.into(), data.into());
        if let Some(above) = self.znodes.get_mut(parent(&path)) {
            above.children += 1;
        }
        if let Some(owner) = owner {
            self.ephemerals.entry(owner).or_default().push(Arc::clone(&path));
        }
        let znode = Znode { data: Arc::clone(&data), version: 0, owner, children: 0 };
        self.znodes.insert(Arc::clone(&path), znode);
        self.changes.push(Change { path, data: Some((data, Version(0))) });
    }

    fn remove(&mut self, path: &str) {
        let Some((path, znode)) = self.znodes.remove_entry(path) else { return };
        if let Some(above) = self.znodes.get_mut(parent(&path)) {
            above.children -= 1;
        }
        if let Some(of) = znode.owner.and_then(|owner| self.ephemerals.get_mut(&owner)) {
            of.retain(|known| *known != path);
        }
        self.changes.push(Change { path, data: None });
    }

    /// A session is over: what was made to vanish with it does.
    pub fn end(&mut self, session: SessionId) {
        for path in self.ephemerals.remove(&session).unwrap_or_default() {
            self.remove(&path);
        }
    }

    /// Removes a path and all below it, whatever their versions: what the API does last for a VM.
    pub fn prune(&mut self, root: &str) {
        let below = format!("{root}/");
        let mut gone: Vec<Arc<str>> = self
            .znodes
            .keys()
            .filter(|path| ***path == *root || path.starts_with(&below))
            .cloned()
            .collect();
        gone.sort_unstable_by(|a, b| b.cmp(a));
        for path in gone {
            self.remove(&path);
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(path: &str) -> Op {
        Op::Create { path: path.to_owned(), data: Vec::new() }
    }

    fn set(path: &str, version: i32) -> Op {
        Op::Set { path: path.to_owned(), data: b"x".to_vec(), version: Version(version) }
    }

    #[test]
    fn a_transaction_happens_as_a_whole_or_not_at_all() {
        let mut tree = Tree::default();
        tree.apply(&[create("/a"), create("/a/b")], 0).unwrap();
        assert!(tree.apply(&[set("/a", 0), set("/a/b", 7)], 0).is_err());
        assert_eq!(tree.get("/a"), Some((&b""[..], Version(0))));
        tree.apply(&[set("/a", 0), set("/a/b", 0)], 0).unwrap();
        assert_eq!(tree.get("/a/b"), Some((&b"x"[..], Version(1))));
        assert!(tree.apply(&[create("/c/d")], 0).is_err(), "without a parent");
    }

    #[test]
    fn what_is_ephemeral_goes_with_its_session() {
        let mut tree = Tree::default();
        tree.apply(&[create("/a")], 0).unwrap();
        let path = "/a/s".to_owned();
        tree.apply(&[Op::CreateEphemeral { path, data: Vec::new() }], 5).unwrap();
        let delete = Op::Delete { path: "/a".to_owned(), version: Version(0) };
        assert!(tree.apply(std::slice::from_ref(&delete), 0).is_err(), "it has a child");
        tree.end(5);
        assert_eq!(tree.get("/a/s"), None);
        tree.apply(&[delete], 0).unwrap();
    }
}
