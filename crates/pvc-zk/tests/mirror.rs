//! When a mirror's view may be believed, by the second: on the fake, with time at a stand.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::zk::{Op, Version};
use pvc_zk::{FakeTree, Image, Mirror, Tree};
use tokio::time::sleep;

/// The paths that exist.
#[derive(Default)]
struct Paths {
    found: BTreeSet<String>,
    /// Shared with a test that wants to know when the image is gone.
    alive: Arc<()>,
}

impl Image for Paths {
    type View = BTreeSet<String>;

    fn wants(&self, _path: &str) -> bool {
        true
    }

    fn clear(&mut self, root: &str) {
        self.found.retain(|path| !path.starts_with(root));
    }

    fn set(&mut self, path: &str, data: Option<(&[u8], Version)>) {
        match data {
            Some(_) => self.found.insert(path.to_owned()),
            None => self.found.remove(path),
        };
    }

    fn snapshot(&mut self) -> Arc<Self::View> {
        Arc::new(self.found.clone())
    }
}

async fn plant(tree: &FakeTree, paths: &[&str]) {
    let create = |path: &&str| Op::Create { path: (*path).to_owned(), data: Vec::new() };
    tree.commit(paths.iter().map(create).collect()).await.unwrap();
}

/// The tree, somebody else on it, and a mirror of `/a` and `/b`, current.
async fn mirrored() -> (FakeTree, FakeTree, Mirror<BTreeSet<String>>) {
    let tree = FakeTree::new();
    plant(&tree, &["/a", "/a/1", "/b"]).await;
    let mirror = Mirror::follow(&tree, &["/a", "/b"], Paths::default());
    mirror.complete().await.unwrap();
    mirror.freshness().wait_for(|freshness| freshness.epoch() == Some(1)).await.unwrap();
    let other = tree.another();
    (tree, other, mirror)
}

fn epoch(mirror: &Mirror<BTreeSet<String>>) -> Option<u64> {
    mirror.freshness().borrow().epoch()
}

fn has(mirror: &Mirror<BTreeSet<String>>, path: &str) -> bool {
    mirror.latest().is_some_and(|view| view.contains(path))
}

#[tokio::test(start_paused = true)]
async fn nothing_is_shown_before_everything_was_read_once() {
    let tree = FakeTree::new();
    plant(&tree, &["/a", "/a/1", "/b"]).await;
    tree.slow(Duration::from_secs(1));
    let mirror = Mirror::follow(&tree, &["/a", "/b"], Paths::default());
    // Two levels of /a take a read and a list each; then there is /b.
    sleep(Duration::from_millis(3_500)).await;
    assert_eq!(mirror.latest(), None);
    let view = mirror.complete().await.unwrap();
    assert_eq!(view.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn after_an_interruption_a_view_is_current_only_once_it_was_read_again() {
    let (tree, other, mirror) = mirrored().await;
    tree.suspend();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(epoch(&mirror), None);
    plant(&other, &["/b/missed"]).await;
    tree.slow(Duration::from_secs(1));
    tree.resume();
    // The session lives again, but nothing was read in it yet.
    sleep(Duration::from_millis(500)).await;
    assert_eq!((epoch(&mirror), has(&mirror, "/b/missed")), (None, false));
    sleep(Duration::from_secs(20)).await;
    assert_eq!((epoch(&mirror), has(&mirror, "/b/missed")), (Some(1), true));
}

#[tokio::test(start_paused = true)]
async fn an_interruption_too_short_to_be_seen_is_followed_by_reading_again() {
    let (tree, other, mirror) = mirrored().await;
    tree.suspend();
    plant(&other, &["/a/missed"]).await;
    tree.resume();
    sleep(Duration::from_millis(1)).await;
    assert_eq!((epoch(&mirror), has(&mirror, "/a/missed")), (Some(1), true));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_during_a_reading_makes_it_count_for_nothing() {
    let (tree, other, mirror) = mirrored().await;
    tree.slow(Duration::from_secs(1));
    tree.expire();
    sleep(Duration::from_millis(2_500)).await;
    tree.end_session();
    plant(&other, &["/b/missed"]).await;
    sleep(Duration::from_secs(20)).await;
    assert_eq!((epoch(&mirror), has(&mirror, "/a/1")), (None, true));
    tree.begin_session();
    sleep(Duration::from_secs(20)).await;
    assert_eq!((epoch(&mirror), has(&mirror, "/b/missed")), (Some(3), true));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_in_time_is_read_later() {
    let (tree, other, mirror) = mirrored().await;
    tree.slow(Duration::from_secs(60));
    plant(&other, &["/a/late"]).await;
    sleep(Duration::from_secs(6)).await;
    assert_eq!((epoch(&mirror), has(&mirror, "/a/late")), (None, false));
    tree.slow(Duration::ZERO);
    sleep(Duration::from_secs(10)).await;
    assert_eq!((epoch(&mirror), has(&mirror, "/a/late")), (Some(1), true));
}

#[tokio::test(start_paused = true)]
async fn many_changes_at_once_make_few_views() {
    let (_tree, other, mirror) = mirrored().await;
    let mut views = mirror.view();
    views.mark_unchanged();
    let paths: Vec<String> = (0..5_000).map(|number| format!("/b/{number}")).collect();
    let paths: Vec<&str> = paths.iter().map(|path| &**path).collect();
    plant(&other, &paths).await;
    let mut count = 0;
    while mirror.latest().is_some_and(|view| view.len() < 5_003) {
        views.changed().await.unwrap();
        count += 1;
    }
    assert!(count <= 10, "{count} views");
}

/// A server tells of the changes of one transaction one by one.
#[tokio::test(start_paused = true)]
async fn what_changes_while_a_change_is_read_is_in_the_same_view() {
    let (tree, other, mirror) = mirrored().await;
    tree.slow(Duration::from_millis(10));
    let mut views = mirror.view();
    views.mark_unchanged();
    plant(&other, &["/a/first"]).await;
    sleep(Duration::from_millis(5)).await;
    plant(&other, &["/b/second"]).await;
    views.changed().await.unwrap();
    assert!(has(&mirror, "/a/first") && has(&mirror, "/b/second"), "{:?}", mirror.latest());
}

#[tokio::test(start_paused = true)]
async fn changes_without_end_are_shown_all_the_same() {
    let (tree, other, mirror) = mirrored().await;
    tree.slow(Duration::from_millis(10));
    for number in 0..20 {
        plant(&other, &[&format!("/a/number-{number}")]).await;
        sleep(Duration::from_millis(5)).await;
    }
    assert!(has(&mirror, "/a/number-10"), "{:?}", mirror.latest());
}

#[tokio::test(start_paused = true)]
async fn a_mirror_that_nobody_reads_ends() {
    let (tree, image) = (FakeTree::new(), Paths::default());
    let alive = Arc::clone(&image.alive);
    let mirror = Mirror::follow(&tree, &["/"], image);
    mirror.complete().await.unwrap();
    drop(mirror);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(Arc::strong_count(&alive), 1);
}
