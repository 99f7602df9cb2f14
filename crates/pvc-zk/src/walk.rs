//! Reads a whole branch, level by level and many znodes at a time.

use crate::error::TreeError;
use crate::lock::is_contender;
use crate::path::join;
use crate::tree::{Entry, Tree};

/// Znodes asked for at a time: as many as the real tree has under way at once. Bounds the memory
/// that a walk takes, which is two steps.
pub(crate) const STEP: usize = 2_000;

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
    visitor: &mut (impl Visitor + Send),
) -> Result<(), TreeError> {
    let mut unread = vec![root.to_owned()];
    let mut unseen = Vec::new();
    while !unread.is_empty() {
        let step = unread.split_off(unread.len().saturating_sub(STEP));
        // The server answers this step while the one before it is looked at.
        let meanwhile = async { show(visitor, std::mem::take(&mut unseen)) };
        let (entries, ()) = tokio::join!(biased; tree.get_many(&step), meanwhile);
        unseen = step.into_iter().zip(entries?).filter_map(|(path, e)| Some((path, e?))).collect();
        let parents = unseen.iter().filter(|(_, entry)| entry.children > 0);
        let parents: Vec<String> = parents.map(|(path, _)| path.clone()).collect();
        let families = tree.children_many(&parents).await?;
        for (parent, names) in parents.iter().zip(families) {
            let names = names.unwrap_or_default();
            let wanted = names.iter().filter(|name| !is_contender(name));
            let paths = wanted.map(|name| join(parent, name));
            unread.extend(paths.filter(|path| visitor.wants(path)));
        }
    }
    show(visitor, unseen);
    Ok(())
}

fn show(visitor: &mut impl Visitor, znodes: Vec<(String, Entry)>) {
    for (path, entry) in znodes {
        visitor.visit(&path, entry);
    }
}
