//! A tree while it is being changed in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::TreeImage;
use crate::zk::{Expected, Op};

/// A tree while it is being changed in memory; what does not change is borrowed.
pub(super) struct Draft<'a> {
    was: &'a TreeImage,
    now: BTreeMap<Cow<'a, str>, Cow<'a, [u8]>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(image: &'a TreeImage) -> Self {
        let borrow = |(path, znode): (&'a String, &'a super::Znode)| {
            (Cow::from(path.as_str()), Cow::from(znode.data.as_slice()))
        };
        Self { was: image, now: image.iter().map(borrow).collect() }
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.now.contains_key(path)
    }

    /// What a key holds as text; `None` if it is not there or no text.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.now.get(path)?).ok()
    }

    /// The paths of the children of `path`.
    pub(super) fn children(&self, path: &str) -> Vec<String> {
        let parent = format!("{path}/");
        self.below(&parent)
            .filter(|at| !at[parent.len()..].contains('/'))
            .map(str::to_owned)
            .collect()
    }

    /// Everything below `parent`, which ends with a `/`.
    fn below(&self, parent: &str) -> impl Iterator<Item = &str> {
        let range = (Bound::Included(parent), Bound::Unbounded);
        let paths = self.now.range::<str, _>(range).map(|(path, _)| path.as_ref());
        paths.take_while(move |path| path.starts_with(parent))
    }

    /// Makes a key that is not there, with its parents.
    pub(super) fn create(&mut self, path: &str, data: String) {
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        for parent in parents.filter(|parent| !parent.is_empty()) {
            if !self.has(parent) {
                self.now.insert(Cow::Owned(parent.to_owned()), Cow::default());
            }
        }
        self.now.insert(Cow::Owned(path.to_owned()), Cow::Owned(data.into_bytes()));
    }

    /// Removes a key and what is below it.
    pub(super) fn remove(&mut self, path: &str) {
        let below: Vec<String> = self.below(&format!("{path}/")).map(str::to_owned).collect();
        for path in below.iter().map(String::as_str).chain([path]) {
            self.now.remove(path);
        }
    }

    /// The writes that lead from the tree as it was to what it is now: first what is new,
    /// parents first, then what changed, then what is gone, children first.
    pub(super) fn difference(&self) -> Vec<Op> {
        let created = self.now.iter().filter(|(path, _)| !self.was.contains_key(path.as_ref()));
        let created =
            created.map(|(path, data)| Op::put(path.clone(), data.as_ref(), Expected::Absent));
        let changed = self.now.iter().filter_map(|(path, data)| {
            let was = self.was.get(path.as_ref()).filter(|was| was.data != data.as_ref())?;
            Some(Op::put(path.clone(), data.as_ref(), Expected::Version(was.version)))
        });
        let gone = self.was.iter().rev().filter(|(path, _)| !self.has(path));
        let gone = gone.map(|(path, was)| Op::Delete { path: path.clone(), version: was.version });
        created.chain(changed).chain(gone).collect()
    }
}
