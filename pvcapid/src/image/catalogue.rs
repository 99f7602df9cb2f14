//! Objects that are listed by the thousand, each with its JSON, which is made when it is first
//! asked for and kept while the object stays.

use std::sync::{Arc, OnceLock};

use pvc_common::view::Shared;
use serde::Serialize;

use crate::listing::Listed;

/// A kind of object of which there may be thousands.
pub(crate) trait Kind: Send + Sync + 'static {
    /// What tells one from the other.
    type Id: Clone + Ord + Send + Sync;
    /// What clients are shown.
    type Answer: Serialize;

    /// What people call it, by which lists are sorted.
    fn name(id: &Self::Id) -> &str;

    /// What clients are shown of it.
    fn answer(&self, id: &Self::Id) -> Self::Answer;
}

/// An object and what is shown of it.
#[derive(Debug)]
pub(crate) struct Rendered<K: Kind> {
    id: K::Id,
    object: Arc<K>,
    json: OnceLock<Box<[u8]>>,
}

impl<K: Kind> Rendered<K> {
    /// What tells it from the others.
    pub(crate) fn id(&self) -> &K::Id {
        &self.id
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        K::name(&self.id)
    }

    fn json(&self) -> &[u8] {
        self.json.get_or_init(|| {
            let json = serde_json::to_vec(&self.object.answer(&self.id));
            json.expect("plain fields and text keys are JSON").into_boxed_slice()
        })
    }
}

impl<K: Kind> Listed for Rendered<K> {
    fn warm(&self) {
        self.json();
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.json());
    }
}

/// Every object of a kind.
#[derive(Debug)]
pub(crate) struct Catalogue<K: Kind> {
    objects: Shared<K::Id, K>,
    by_id: Vec<Arc<Rendered<K>>>,
    by_name: OnceLock<Vec<Arc<Rendered<K>>>>,
}

impl<K: Kind> Default for Catalogue<K> {
    fn default() -> Self {
        Self { objects: Shared::default(), by_id: Vec::new(), by_name: OnceLock::new() }
    }
}

impl<K: Kind> Catalogue<K> {
    /// The catalogue of these objects: this one, if nothing changed. What is the same object is
    /// the same text too.
    pub(super) fn of(self: &Arc<Self>, objects: &Shared<K::Id, K>) -> Arc<Self> {
        if self.objects.is(objects) {
            return Arc::clone(self);
        }
        let mut known = self.by_id.iter().peekable();
        let by_id = objects.iter().map(|(id, object)| {
            while known.next_if(|rendered| rendered.id < *id).is_some() {}
            let unchanged = known.next_if(|rendered| Arc::ptr_eq(&rendered.object, object));
            unchanged.map_or_else(|| rendered(id, object), Arc::clone)
        });
        let by_id = by_id.collect();
        Arc::new(Self { objects: objects.clone(), by_id, by_name: OnceLock::new() })
    }

    /// Every object, by what tells it from the others.
    pub(crate) fn by_id(&self) -> &[Arc<Rendered<K>>] {
        &self.by_id
    }

    /// Every object, sorted by name.
    pub(crate) fn by_name(&self) -> &[Arc<Rendered<K>>] {
        self.by_name.get_or_init(|| {
            let mut sorted = self.by_id.clone();
            sorted.sort_by(|a, b| a.name().cmp(b.name()));
            sorted
        })
    }

    /// The object that is told by `id`.
    pub(crate) fn get(&self, id: &K::Id) -> Option<&Arc<Rendered<K>>> {
        let at = self.by_id.binary_search_by(|rendered| rendered.id.cmp(id)).ok()?;
        self.by_id.get(at)
    }
}

fn rendered<K: Kind>(id: &K::Id, object: &Arc<K>) -> Arc<Rendered<K>> {
    Arc::new(Rendered { id: id.clone(), object: Arc::clone(object), json: OnceLock::new() })
}

#[cfg(test)]
mod tests {
    use pvc_common::id::VolumeId;
    use pvc_common::model::Volume;

    use super::*;

    fn objects(ids: &[&str]) -> Shared<VolumeId, Volume> {
        ids.iter().map(|id| (id.parse().unwrap(), Arc::default())).collect()
    }

    fn names(list: &[Arc<Rendered<Volume>>]) -> Vec<String> {
        list.iter().map(|rendered| rendered.id().to_string()).collect()
    }

    #[test]
    fn a_list_is_sorted_by_name_across_pools() {
        let catalogue = Arc::new(Catalogue::default()).of(&objects(&["a/y", "a/x", "b/x", "b/w"]));
        assert_eq!(names(catalogue.by_id()), ["a/x", "a/y", "b/w", "b/x"]);
        assert_eq!(names(catalogue.by_name()), ["b/w", "a/x", "b/x", "a/y"]);
        let one = catalogue.get(&"b/x".parse().unwrap()).unwrap();
        assert_eq!(one.id().to_string(), "b/x");
        assert!(catalogue.get(&"b/y".parse().unwrap()).is_none());
    }

    #[test]
    fn only_what_changed_is_made_anew() {
        let mut now = objects(&["a/x", "a/y", "a/z"]);
        let before = Arc::new(Catalogue::default()).of(&now);
        assert!(Arc::ptr_eq(&before, &before.of(&now)), "nothing changed");
        now.insert("a/a".parse().unwrap(), Arc::default());
        now.insert("a/y".parse().unwrap(), Arc::default());
        now.remove(&"a/x".parse().unwrap());
        let after = before.of(&now);
        assert_eq!(names(after.by_id()), ["a/a", "a/y", "a/z"]);
        let kept = after
            .by_id()
            .iter()
            .filter(|one| before.get(one.id()).is_some_and(|known| Arc::ptr_eq(known, one)));
        assert_eq!(kept.map(|one| one.name()).collect::<Vec<_>>(), ["z"]);
    }
}
