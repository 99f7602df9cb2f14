//! Replacing this process by a fresh one of the same PID.

use std::convert::Infallible;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;

use pvc_common::zk::{Seen, key};
use pvc_zk::Tree;

use crate::kept_watchdog;

/// Returns the cluster's schema version once that is known to be another one than `active`.
pub async fn schema_changed<T: Tree>(tree: &T, active: u32) -> u32 {
    let mut changes = tree.watch(key::SCHEMA);
    loop {
        match tree.get(key::schema_version().path()).await {
            Ok(entry) => {
                let seen: Seen<u32> =
                    Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
                if let Some(version) = seen.copied().filter(|version| *version != active) {
                    return version;
                }
            }
            // After the reconnection there is a resync to come.
            Err(error) => tracing::debug!(%error, "the schema version cannot be read"),
        }
        if changes.recv().await.is_none() {
            // Without a tree nothing will ever change.
            std::future::pending::<()>().await;
        }
    }
}

/// Starts this program anew in this very process: the PID stays, so that neither the supervisor
/// nor any VM notices. To be called when nothing of the old one is left to be done.
///
/// # Errors
/// When the program cannot be found or executed. Otherwise this does not return.
pub fn reexec() -> io::Result<Infallible> {
    let mut arguments = Vec::new();
    for argument in std::env::args_os() {
        arguments.push(CString::new(argument.as_bytes())?);
    }
    // After an upgrade the path this process was started by has the new program, whereas
    // /proc/self/exe still is the old one; but a bare name says nothing about where it is.
    let program = match arguments.first() {
        Some(name) if name.as_bytes().contains(&b'/') => name.clone(),
        Some(_) | None => CString::new(std::env::current_exe()?.as_os_str().as_bytes())?,
    };
    let mut environment = Vec::new();
    for (name, value) in std::env::vars_os().filter(|(name, _)| !is_for_this_life(name)) {
        let assignment = [name.as_bytes(), b"=", value.as_bytes()].concat();
        environment.push(CString::new(assignment)?);
    }
    kept_watchdog::forget();
    Ok(nix::unistd::execve(&program, &arguments, &environment)?)
}

/// What the supervisor passed is used up: its numbers mean other files in the next life.
fn is_for_this_life(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"LISTEN_")
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Expected, Op, Version};
    use pvc_zk::FakeTree;

    use super::*;

    #[tokio::test]
    async fn only_another_version_is_a_change() {
        let tree = FakeTree::new();
        let at = |version| Op::put("/schema/version", "16", version);
        tree.commit(vec![Op::put("/schema", "", Expected::Absent), at(Expected::Absent)])
            .await
            .unwrap();
        let watching = tokio::spawn({
            let tree = tree.clone();
            async move { schema_changed(&tree, 16).await }
        });
        tree.commit(vec![at(Expected::Version(Version(0)))]).await.unwrap();
        tokio::task::yield_now().await;
        assert!(!watching.is_finished());
        let raise = Op::put("/schema/version", "17", Expected::Version(Version(1)));
        tree.commit(vec![raise]).await.unwrap();
        assert_eq!(watching.await.unwrap(), 17);
    }
}
