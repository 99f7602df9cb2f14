//! Reads a whole branch, level by level and many znodes at a time.

use crate::error::TreeError;
use crate::lock::is_contender;
use crate::path::join;
use crate::tree::{Entry, Tree};

/// Znodes asked for at a time: bounds the memory that one step of a walk takes.
pub(crate) const STEP: usize = 4_096;

/// Somebody who is shown a branch.
pub(crate) trait Visitor {
    /// Whether to be shown `path` and what is below it.
    fn wants(&self, path: &str) -> bool;
    /// Is shown a znode; parents come before their children.
    fn visit(&mut self, path: &str, entry: Entry);
}

/// Shows `visitor` all it wants at and below `root`, except lock contenders.
///
/// Not atomic: what changes meanwhile is seen before or after its change, or half.
pub(crate) async fn walk<T: Tree>(
    tree: &T,
    root: &str,
    visitor: &mut impl Visitor,
) -> Result<(), TreeError> {
    let mut unread = vec![root.to_owned()];
    while !unread.is_empty() {
        let step = unread.split_off(unread.len().saturating_sub(STEP));
        let entries = tree.get_many(&step).await?;
        let mut parents = Vec::new();
        for (path, entry) in step.into_iter().zip(entries) {
            let Some(entry) = entry else { continue };
            let has_children = entry.children > 0;
            visitor.visit(&path, entry);
            if has_children {
                parents.push(path);
            }
        }
        let families = tree.children_many(&parents).await?;
        for (parent, names) in parents.iter().zip(families) {
            let names = names.unwrap_or_default();
            let wanted = names.iter().filter(|name| !is_contender(name));
            let paths = wanted.map(|name| join(parent, name));
            unread.extend(paths.filter(|path| visitor.wants(path)));
        }
    }
    Ok(())
}
