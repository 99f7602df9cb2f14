//! Changing the layout of a tree from one version to another.
//!
//! ```text
//!  TreeImage ──▶ Draft ──step──▶ Draft ──step──▶ … ──▶ difference ──▶ transactions
//! ```
//! A step leads from one version to the next, up or down: it removes the keys that only the old
//! version has, with all that is below them, and makes the keys that only the new one has, for
//! every object there is. What comes and goes is the difference of the two documents (see
//! [`super::schema`]); only what a new key starts with ([`default`]) and what more a step does
//! ([`claims`]) is code. Nothing is written but what differs in the end, so a migration that was
//! cut off is finished by planning it again.

mod claims;
mod default;
mod draft;
mod objects;
mod transactions;

use std::collections::BTreeMap;
use std::fmt;

use super::schema::{Entry, LATEST, Schema, UnknownVersion};
use super::{Expected, Op, Seen, Version, key};
use default::Start;
use draft::Draft;
use objects::objects;

use transactions::transactions;

/// A znode of a tree that is about to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Znode {
    /// Its data.
    pub data: Vec<u8>,
    /// The version of its data.
    pub version: Version,
}

/// A tree as it was read, by path. Complete, except that lock contenders may be left out.
pub type TreeImage = BTreeMap<String, Znode>;

/// Why a tree cannot be migrated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotMigrate {
    /// The tree has no schema version: no cluster was ever initialised in it.
    #[error("the tree has no schema version: the cluster was never initialised")]
    NotInitialised,
    /// The tree's schema version is no number.
    #[error("the tree's schema version is unreadable: {0}")]
    Unreadable(Box<str>),
    /// The tree's version, or the one to migrate to, is beyond this program.
    #[error(transparent)]
    Unknown(#[from] UnknownVersion),
}

/// From one version to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    from: &'static Schema,
    to: &'static Schema,
}

/// The steps from one version to another, up or down; none if they are the same.
///
/// # Errors
/// When either version is unknown.
pub fn steps(from: u32, to: u32) -> Result<Vec<Step>, UnknownVersion> {
    Schema::of(from)?;
    Schema::of(to)?;
    let step = |from, to| Ok(Step { from: Schema::of(from)?, to: Schema::of(to)? });
    if from <= to {
        (from..to).map(|version| step(version, version + 1)).collect()
    } else {
        (to..from).rev().map(|version| step(version + 1, version)).collect()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "schema version {} to {}", self.from.version(), self.to.version())
    }
}

impl Step {
    fn apply(self, draft: &mut Draft<'_>) {
        for Entry { kind, path, .. } in only_in(self.from, self.to) {
            for object in objects(draft, self.from, kind) {
                draft.remove(&format!("{object}{path}"));
            }
        }
        for entry in only_in(self.to, self.from) {
            let objects = objects(draft, self.to, entry.kind);
            let lacking: Vec<_> = lacking(draft, self.to, &objects, entry).collect();
            for Missing { path, data } in lacking {
                draft.create(&path, data);
            }
        }
        if self.to.version() == claims::VERSION && self.from.version() < claims::VERSION {
            claims::infer(draft);
        }
    }
}

/// The keys that one version has and another has not.
fn only_in<'a>(this: &'a Schema, other: &'a Schema) -> impl Iterator<Item = Entry<'a>> {
    this.entries().filter(|entry| other.path(entry.kind, entry.name).is_none())
}

/// Where objects of a kind lack a key, and what it should start with.
fn lacking<'a>(
    draft: &'a Draft<'_>,
    schema: &Schema,
    objects: &'a [String],
    entry: Entry<'a>,
) -> impl Iterator<Item = Missing> {
    let start = default::start(schema, entry);
    let paths = objects.iter().map(move |object| format!("{object}{}", entry.path));
    // The root of the tree is always there.
    let paths = paths.filter(|path| !path.is_empty() && !draft.has(path));
    paths.filter_map(move |path| match &start {
        Start::With(data) => Some(Missing { path, data: data.clone() }),
        Start::Without => None,
    })
}

/// Plans the migration of a tree to version `to`, as transactions to be committed in order.
///
/// Each fails if another migration came in between; the last one writes the version.
///
/// # Errors
/// When the tree was never initialised, or is of a version that is not known here.
pub fn migrate(image: &TreeImage, to: u32) -> Result<Vec<Vec<Op>>, CannotMigrate> {
    let version_key = key::schema_version();
    let znode = image.get(version_key.path());
    let seen = Seen::<u32>::read(znode.map(|znode| (znode.data.as_slice(), znode.version)));
    let from = match &seen {
        Seen::Absent => return Err(CannotMigrate::NotInitialised),
        Seen::Bad { why, .. } => return Err(CannotMigrate::Unreadable(why.clone())),
        Seen::Value { value, .. } => *value,
    };
    let mut draft = Draft::new(image);
    for step in steps(from, to)? {
        step.apply(&mut draft);
    }
    if from == to {
        return Ok(Vec::new());
    }
    let write = version_key.put(&seen, &to);
    let guard: Vec<Op> = version_key.check(&seen).into_iter().collect();
    Ok(transactions(draft.difference(), &guard, [write]))
}

/// A key that a tree should have and has not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Where it should be.
    pub path: String,
    /// What it should start with.
    pub data: String,
}

/// The kinds of which every object should have every key.
///
/// What is left out is looked after by its owner: a node's devices and health checks by the
/// node, leases by the DHCP server, tags and snapshots of VMs, faults and logs by whoever makes
/// them, all keys at once.
const VALIDATED: [&str; 10] = [
    "base",
    "node",
    "domain",
    "network",
    "reservation",
    "rule",
    "osd",
    "pool",
    "volume",
    "snapshot",
];

/// What a tree lacks of a version, parents first. Empty for a sound tree.
///
/// # Errors
/// When the version is unknown.
pub fn validate(image: &TreeImage, version: u32) -> Result<Vec<Missing>, UnknownVersion> {
    Ok(validate_against(Schema::of(version)?, image))
}

fn validate_against(schema: &Schema, image: &TreeImage) -> Vec<Missing> {
    let draft = Draft::new(image);
    let mut found = Vec::new();
    for kind in VALIDATED {
        let objects = objects(&draft, schema, kind);
        for entry in schema.keys(kind) {
            found.extend(lacking(&draft, schema, &objects, entry));
        }
    }
    found.sort();
    found
}

/// Plans how to make what [`validate`] found missing, as transactions to be committed in order.
#[must_use]
pub fn repair(missing: Vec<Missing>) -> Vec<Vec<Op>> {
    transactions(missing.into_iter().map(Missing::create).collect(), &[], [])
}

impl Missing {
    /// Makes it; fails if it is there.
    #[must_use]
    pub fn create(self) -> Op {
        Op::put(self.path, self.data, Expected::Absent)
    }
}

/// Plans an empty cluster of the latest version in an empty tree.
///
/// One transaction that fails if any of it is there already. Everything is empty but the schema
/// version; the nodes write the rest when they start.
#[must_use]
pub fn initialise() -> Vec<Op> {
    let keys = validate_against(Schema::latest(), &TreeImage::new());
    keys.into_iter().map(Missing::create).collect()
}

const _: () = assert!(claims::VERSION <= LATEST, "what a step does must be reachable");
