//! The layout of the tree, version by version, as data.
//!
//! Upstream counts 0 to 15; 16 to 19 are ours and add who may be running a VM, the deaths of nodes,
//! tasks, and leases of IPv6 addresses. A document names every key by its kind and a name, with an absolute path if the kind
//! is `base`, and otherwise with what is appended to the path of an object of that kind. The keys
//! in [`super::key`] are those of [`LATEST`].

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

/// The version this program works with.
pub const LATEST: u32 = 19;

const DOCUMENTS: [&str; LATEST as usize + 1] = [
    include_str!("../../../../schema/zookeeper/0.json"),
    include_str!("../../../../schema/zookeeper/1.json"),
    include_str!("../../../../schema/zookeeper/2.json"),
    include_str!("../../../../schema/zookeeper/3.json"),
    include_str!("../../../../schema/zookeeper/4.json"),
    include_str!("../../../../schema/zookeeper/5.json"),
    include_str!("../../../../schema/zookeeper/6.json"),
    include_str!("../../../../schema/zookeeper/7.json"),
    include_str!("../../../../schema/zookeeper/8.json"),
    include_str!("../../../../schema/zookeeper/9.json"),
    include_str!("../../../../schema/zookeeper/10.json"),
    include_str!("../../../../schema/zookeeper/11.json"),
    include_str!("../../../../schema/zookeeper/12.json"),
    include_str!("../../../../schema/zookeeper/13.json"),
    include_str!("../../../../schema/zookeeper/14.json"),
    include_str!("../../../../schema/zookeeper/15.json"),
    include_str!("../../../../schema/zookeeper/16.json"),
    include_str!("../../../../schema/zookeeper/17.json"),
    include_str!("../../../../schema/zookeeper/18.json"),
    include_str!("../../../../schema/zookeeper/19.json"),
];

static SCHEMAS: [OnceLock<Schema>; LATEST as usize + 1] =
    [const { OnceLock::new() }; LATEST as usize + 1];

/// A version that no document describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schema version {0} is not known here: the latest is {LATEST}")]
pub struct UnknownVersion(pub u32);

/// One version of the layout.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    version: u32,
    /// Paths by kind and name.
    kinds: BTreeMap<String, BTreeMap<String, String>>,
}

/// A key of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry<'a> {
    /// What kind of object it belongs to; `base` for the cluster.
    pub kind: &'a str,
    /// What it is called there.
    pub name: &'a str,
    /// Its path, from the object on.
    pub path: &'a str,
}

impl Schema {
    /// The layout of a version.
    ///
    /// # Errors
    /// When this program does not know that version.
    pub fn of(version: u32) -> Result<&'static Self, UnknownVersion> {
        let at = usize::try_from(version).ok().filter(|at| *at < SCHEMAS.len());
        let at = at.ok_or(UnknownVersion(version))?;
        Ok(SCHEMAS[at].get_or_init(|| {
            parse(DOCUMENTS[at]).expect("the documents within the program are tested")
        }))
    }

    /// The latest layout.
    ///
    /// # Panics
    /// Never: the latest version is known.
    #[must_use]
    pub fn latest() -> &'static Self {
        Self::of(LATEST).expect("the latest version is known")
    }

    /// Which version it is.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The path of a key, from its object on; `None` if this version has no such key.
    #[must_use]
    pub fn path(&self, kind: &str, name: &str) -> Option<&str> {
        self.kinds.get(kind)?.get(name).map(String::as_str)
    }

    /// Every key of a kind; none if this version has no such kind.
    pub fn keys(&self, kind: &str) -> impl Iterator<Item = Entry<'_>> {
        self.kinds.get_key_value(kind).into_iter().flat_map(|(kind, keys)| entries(kind, keys))
    }

    /// Every key.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.kinds.iter().flat_map(|(kind, keys)| entries(kind, keys))
    }
}

fn entries<'a>(
    kind: &'a str,
    keys: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = Entry<'a>> {
    keys.iter().map(move |(name, path)| Entry { kind, name, path })
}

/// Reads a document: `version` and `root` are texts, and every other member is a kind.
fn parse(document: &str) -> Option<Schema> {
    let document: Value = serde_json::from_str(document).ok()?;
    let mut kinds = BTreeMap::new();
    for (kind, keys) in document.as_object()? {
        if let Some(keys) = keys.as_object() {
            let text = |path: &Value| path.as_str().map(str::to_owned);
            let keys = keys.iter().map(|(name, path)| Some((name.clone(), text(path)?)));
            kinds.insert(kind.clone(), keys.collect::<Option<_>>()?);
        }
    }
    Some(Schema { version: document.get("version")?.as_str()?.parse().ok()?, kinds })
}

#[cfg(test)]
mod tests;
