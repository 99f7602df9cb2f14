//! Tags of a VM.

use pvc_common::id::{TagName, VmUuid};
use pvc_common::zk::{Op, Text, key};

use pvc_zk::subtree::Branch;

use super::Change;
use crate::api::ApiError;

/// The only kind that clients make and may remove.
const USER: &str = "user";

/// The operations that create a tag.
pub(super) fn create(uuid: VmUuid, tag: &TagName, protected: bool) -> Vec<Op> {
    vec![
        key::vm_tag(uuid, tag).create(&tag.to_string()),
        key::vm_tag_type(uuid, tag).create(&USER.to_owned()),
        key::vm_tag_protected(uuid, tag).create(&protected),
    ]
}

/// Adds a tag to a VM; `parent` is whether the VM has a place for tags.
pub(crate) fn add_tag(
    uuid: VmUuid,
    name: &str,
    tag: &TagName,
    protected: bool,
    found: &Branch,
    parent: Option<Op>,
) -> Result<Change, ApiError> {
    if !found.znodes().is_empty() {
        return Err(ApiError::refused(
            "tag-exists",
            format!("The tag '{tag}' of VM '{name}' exists already."),
        ));
    }
    let ops = parent.into_iter().chain(create(uuid, tag, protected)).map(Some);
    Ok(Change::of(ops, format!("Successfully added tag '{tag}' to VM '{name}'.")))
}

/// Removes a tag, found as a branch of the tree, from a VM.
pub(crate) fn remove_tag(
    uuid: VmUuid,
    name: &str,
    tag: &TagName,
    found: &Branch,
) -> Result<Change, ApiError> {
    let text = |path: &str| {
        let znode = found.znodes().iter().find(|(at, _)| at == path);
        znode.map(|(_, entry)| String::from_utf8_lossy(&entry.data).into_owned())
    };
    let refuse = |code, why: &str| Err(ApiError::refused(code, format!("The tag '{tag}' {why}")));
    if found.znodes().is_empty() {
        return refuse("no-such-tag", "does not exist.");
    }
    if text(key::vm_tag_type(uuid, tag).path()).is_some_and(|kind| kind != USER) {
        return refuse("system-tag", "is not a user tag and cannot be removed.");
    }
    // A flag that cannot be understood protects nothing: it could never be removed.
    let protected = text(key::vm_tag_protected(uuid, tag).path());
    if protected.is_some_and(|flag| bool::decode(&flag).unwrap_or(false)) {
        return refuse("protected-tag", "is protected and cannot be removed.");
    }
    let message = format!("Successfully removed tag '{tag}' from VM '{name}'.");
    Ok(Change { ops: found.deletes(), message })
}

#[cfg(test)]
mod tests {
    use pvc_zk::subtree::ensure_path;
    use pvc_zk::{FakeTree, Tree};

    use super::*;

    async fn remove(kind: &str, protected: &str) -> Result<Change, ApiError> {
        let uuid: VmUuid = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse().unwrap();
        let tag: TagName = "web".parse().unwrap();
        let tree = FakeTree::new();
        ensure_path(&tree, key::vm_tags(uuid).path()).await.unwrap();
        let protected = Op::put(
            key::vm_tag_protected(uuid, &tag).into_path(),
            protected,
            pvc_common::zk::Expected::Absent,
        );
        let ops = vec![
            key::vm_tag(uuid, &tag).create(&tag.to_string()),
            key::vm_tag_type(uuid, &tag).create(&kind.to_owned()),
            protected,
        ];
        tree.commit(ops).await.unwrap();
        let found = Branch::read(&tree, key::vm_tag(uuid, &tag).path()).await.unwrap();
        remove_tag(uuid, "web1", &tag, &found)
    }

    #[tokio::test]
    async fn a_user_tag_is_removed_children_first() {
        let change = remove("user", "False").await.unwrap();
        assert!(change.ops.last().unwrap().path().ends_with("/tags/web"));
        assert_eq!(change.ops.len(), 3);
    }

    #[tokio::test]
    async fn a_protected_or_system_tag_stays() {
        for (kind, protected, word) in
            [("user", "True", "protected"), ("system", "False", "not a user tag")]
        {
            let error = format!("{:?}", remove(kind, protected).await.unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }

    #[tokio::test]
    async fn a_tag_that_upstream_broke_can_be_removed() {
        assert!(remove("user", "None").await.is_ok());
        assert!(remove("user", "nonsense").await.is_ok());
    }
}
