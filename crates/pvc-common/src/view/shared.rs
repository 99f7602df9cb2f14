//! A map that successive views share.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A map of shared objects that is shared itself: a clone costs nothing, and changing one that
/// others hold copies the map but not its objects.
#[derive(Debug, PartialEq)]
pub struct Shared<K, V>(Arc<BTreeMap<K, Arc<V>>>);

impl<K, V> Shared<K, V> {
    /// Whether this is that very map: then nothing in it was written in between.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<K, V> Clone for Shared<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V> Deref for Shared<K, V> {
    type Target = BTreeMap<K, Arc<V>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Clone, V> DerefMut for Shared<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl<K: Ord, V> FromIterator<(K, Arc<V>)> for Shared<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, Arc<V>)>>(objects: I) -> Self {
        Self(Arc::new(objects.into_iter().collect()))
    }
}

impl<'a, K, V> IntoIterator for &'a Shared<K, V> {
    type Item = (&'a K, &'a Arc<V>);
    type IntoIter = Iter<'a, K, Arc<V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
