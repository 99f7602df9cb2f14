//! How a path finds its way to the field that holds it.
//!
//! Each object takes the rest of a path that begins below it, and either keeps what is there
//! or hands it on to one of its own parts. So the same descent that stores a value also says
//! whether a path is wanted at all.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;

use super::{Scope, Shared};
use crate::id::{
    BadId, FaultId, FenceId, JobName, MacAddress, NodeName, OsdId, PluginName, PoolName, RuleName,
    SnapshotId, SnapshotName, SriovName, TagName, TaskId, VmUuid, Vni, VolumeId,
};
use crate::zk::{BadText, Seen, Text, Version};

/// What a path holds now, and how much of it is to be kept.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// The data, unless there is no such znode.
    pub(super) data: Option<(&'a [u8], Version)>,
    pub(super) scope: Scope,
}

/// What became of the data of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The path means nothing here: it is ours no more, not ours yet, or a lock contender's.
    Unwanted,
    /// It was understood and kept, or says nothing but that it is there.
    Understood,
    /// It could not be understood.
    Bad(String),
}

/// An object, or a part of one, that has a branch of the tree to itself.
pub(super) trait Branch: Clone + Default + PartialEq {
    /// Takes note of what is at `rest`: the path from this object on, empty for itself.
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken;

    /// Whether nothing of it is in the tree any more.
    fn is_gone(&self) -> bool {
        *self == Self::default()
    }
}

/// In a map of few members a box saves the room of those that are not there.
impl<B: Branch> Branch for Box<B> {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        (**self).take(rest, found)
    }
}

/// Reads a field.
pub(super) fn read<T: Text>(field: &mut Seen<T>, found: Found<'_>) -> Taken {
    *field = Seen::read(found.data);
    field.fault().map_or(Taken::Understood, |why| Taken::Bad(why.to_owned()))
}

/// The rest of `path` below `parent`: empty for the parent itself.
pub(super) fn below<'a>(path: &'a str, parent: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(parent)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Hands on to the member of `members` that `rest` leads to, making or removing it as needed.
pub(super) fn member<M: Members>(members: &mut M, rest: &str, found: Found<'_>) -> Taken {
    let Some((name, rest)) = split(rest, M::Name::SEGMENTS) else {
        // The parent of the members, or a step on the way to them.
        return Taken::Understood;
    };
    let name = match M::Name::from_path(name) {
        Ok(name) => name,
        Err(_) if !rest.is_empty() => return Taken::Unwanted,
        Err(_) if found.data.is_none() => return Taken::Understood,
        Err(bad) => return Taken::Bad(bad.to_string()),
    };
    if found.data.is_none() {
        if rest.is_empty() {
            members.remove(&name);
            return Taken::Understood;
        }
        if !members.has(&name) {
            return M::Member::default().take(rest, found);
        }
    }
    let member = members.made(name.clone());
    let taken = member.take(rest, found);
    if member.is_gone() {
        members.remove(&name);
    }
    taken
}

/// The first `segments` segments of a path, without the leading `/`, and the rest.
fn split(path: &str, segments: usize) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    let mut ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.nth(segments - 1).map(|end| path.split_at(end))
}

/// Objects by name.
pub(super) trait Members {
    type Name: PathName;
    type Member: Branch;

    /// Whether there is a member of this name.
    fn has(&self, name: &Self::Name) -> bool;

    /// The member of this name, made if there is none.
    fn made(&mut self, name: Self::Name) -> &mut Self::Member;

    /// Forgets the member of this name.
    fn remove(&mut self, name: &Self::Name);
}

impl<K: PathName, V: Branch> Members for Shared<K, V> {
    type Name = K;
    type Member = V;

    fn has(&self, name: &K) -> bool {
        self.contains_key(name)
    }

    fn made(&mut self, name: K) -> &mut V {
        Arc::make_mut(self.entry(name).or_default())
    }

    fn remove(&mut self, name: &K) {
        // Asked first, so that a map is not copied for what it does not hold.
        if self.contains_key(name) {
            (**self).remove(name);
        }
    }
}

impl<K: PathName, V: Branch> Members for BTreeMap<K, V> {
    type Name = K;
    type Member = V;

    fn has(&self, name: &K) -> bool {
        self.contains_key(name)
    }

    fn made(&mut self, name: K) -> &mut V {
        self.entry(name).or_default()
    }

    fn remove(&mut self, name: &K) {
        self.remove(name);
    }
}

/// A name as it stands in a path.
pub(super) trait PathName: Clone + Ord {
    /// How many segments it takes.
    const SEGMENTS: usize;

    /// Reads it. Each name is read from one path only: a write to its key must find it.
    fn from_path(text: &str) -> Result<Self, BadText>;
}

/// Refuses a name whose key is elsewhere than it was read.
fn as_written<T: FromStr<Err = BadId> + Display>(text: &str) -> Result<T, BadText> {
    let name: T = text.parse().map_err(|bad: BadId| BadText(bad.to_string()))?;
    if name.to_string() == text {
        Ok(name)
    } else {
        Err(BadText(format!("`{text}` should be written `{name}`")))
    }
}

macro_rules! path_names {
    ($($segments:literal: $($name:ty),+;)+) => {
        $($(impl PathName for $name {
            const SEGMENTS: usize = $segments;

            fn from_path(text: &str) -> Result<Self, BadText> {
                as_written(text)
            }
        })+)+
    };
}

path_names! {
    1: FaultId, FenceId, JobName, MacAddress, NodeName, OsdId, PluginName, PoolName, RuleName, SnapshotName,
       SriovName, TagName, TaskId, Vni, VmUuid;
    2: VolumeId;
}

impl PathName for Ipv6Addr {
    const SEGMENTS: usize = 1;

    fn from_path(text: &str) -> Result<Self, BadText> {
        let bad = || BadText(format!("`{text}` is not an IPv6 address"));
        let address: Self = text.parse().map_err(|_| bad())?;
        if address.to_string() == text {
            Ok(address)
        } else {
            Err(BadText(format!("`{text}` should be written `{address}`")))
        }
    }
}

impl PathName for SnapshotId {
    const SEGMENTS: usize = 3;

    fn from_path(text: &str) -> Result<Self, BadText> {
        let (of, snapshot) = text.rsplit_once('/').unwrap_or((text, ""));
        Ok(Self { of: as_written(of)?, snapshot: as_written(snapshot)? })
    }
}
