//! What every implementation refuses before asking, so that they refuse alike.

use pvc_common::zk::{Op, Version};

use crate::error::CommitError;

/// The reason given when a znode cannot be created for want of its parent.
pub(crate) const NO_PARENT: &str = "its parent does not exist";
/// The reason given when a znode cannot be created because its parent is ephemeral.
pub(crate) const EPHEMERAL_PARENT: &str = "its parent is ephemeral";

/// Most bytes of one transaction: the server drops the connection at 1 MiB (`jute.maxbuffer`).
pub(crate) const TRANSACTION_LIMIT: usize = 1_000_000;
/// Bytes an operation takes beside its path and data: headers, lengths, access list.
const OP_OVERHEAD: usize = 64;

/// The parent of an absolute path; `None` for the root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        Some((_, "")) | None => None,
        Some(("", _)) => Some("/"),
        Some((parent, _)) => Some(parent),
    }
}

/// The path of a child.
pub(crate) fn join(parent: &str, name: &str) -> String {
    match parent {
        "/" => format!("/{name}"),
        _ => format!("{parent}/{name}"),
    }
}

/// Whether `path` is `root` or below it.
pub(crate) fn is_within(path: &str, root: &str) -> bool {
    root == "/"
        || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why ZooKeeper would not take this for a path, if it would not.
pub(crate) fn fault(path: &str) -> Option<&'static str> {
    let Some(names) = path.strip_prefix('/') else {
        return Some("a path begins with a slash");
    };
    // Almost every path is plain, which is seen sooner.
    let plain = path.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if !plain && path.chars().any(is_unsupported) {
        return Some("a path has no control characters");
    }
    if names.is_empty() {
        return None;
    }
    names.split('/').find_map(|name| match name {
        "" => Some("a path has no empty names"),
        "." | ".." => Some("a path is not relative"),
        _ => None,
    })
}

fn is_unsupported(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}')
}

/// How much of [`TRANSACTION_LIMIT`] an operation takes.
pub(crate) fn weight(op: &Op) -> usize {
    let data = match op {
        Op::Create { data, .. } | Op::CreateEphemeral { data, .. } | Op::Set { data, .. } => {
            data.len()
        }
        Op::Delete { .. } | Op::Check { .. } => 0,
    };
    op.path().len() + data + OP_OVERHEAD
}

/// Refuses what no server would do, or what it would do unguarded.
pub(crate) fn check(ops: &[Op]) -> Result<(), CommitError> {
    for op in ops {
        if let Some(why) = fault(op.path()).or_else(|| unguarded(op)).or_else(|| at_root(op)) {
            return Err(refused(op.path(), why));
        }
    }
    let bytes: usize = ops.iter().map(weight).sum();
    match ops.first() {
        Some(first) if bytes > TRANSACTION_LIMIT => Err(refused(
            first.path(),
            &format!("a transaction of {bytes} bytes exceeds {TRANSACTION_LIMIT}"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// A negative version would match any.
fn unguarded(op: &Op) -> Option<&'static str> {
    match op {
        Op::Set { version, .. } | Op::Delete { version, .. } | Op::Check { version, .. } => {
            (*version < Version(0)).then_some("a version is not negative")
        }
        Op::Create { .. } | Op::CreateEphemeral { .. } => None,
    }
}

fn at_root(op: &Op) -> Option<&'static str> {
    match op {
        Op::Create { path, .. } | Op::CreateEphemeral { path, .. } | Op::Delete { path, .. } => {
            (path == "/").then_some("the root is always there")
        }
        Op::Set { .. } | Op::Check { .. } => None,
    }
}

/// Nothing was written at `path`, and `why`.
pub(crate) fn refused(path: &str, why: &str) -> CommitError {
    CommitError::Refused { path: path.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_all_but_the_last_name() {
        assert_eq!(parent("/"), None);
        assert_eq!(parent("/a"), Some("/"));
        assert_eq!(parent("/a/b"), Some("/a"));
        assert_eq!(join("/", "a"), "/a");
        assert_eq!(join("/a", "b"), "/a/b");
    }

    #[test]
    fn a_sibling_with_a_longer_name_is_not_within() {
        assert!(is_within("/a/b", "/a"));
        assert!(is_within("/a", "/a"));
        assert!(is_within("/a", "/"));
        assert!(!is_within("/ab", "/a"));
    }

    #[test]
    fn what_is_no_path_is_told_why() {
        for path in ["", "a", "/a/", "//", "/a//b", "/a/./b", "/..", "/a\nb"] {
            assert!(fault(path).is_some(), "{path:?}");
        }
        for path in ["/", "/a", "/a/..b", "/a/päth"] {
            assert_eq!(fault(path), None, "{path:?}");
        }
    }
}
