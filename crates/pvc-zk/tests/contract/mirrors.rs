//! Mirrors.

use std::collections::BTreeMap;
use std::sync::Arc;

use pvc_common::zk::Version;
use pvc_zk::{Freshness, Image, Mirror, Tree};

use crate::rig::{Rig, create, delete, live, reach, set};

/// What is there, by path; logs do not matter.
#[derive(Default)]
struct Plain(BTreeMap<String, String>);

impl Image for Plain {
    type View = BTreeMap<String, String>;

    fn wants(&self, path: &str) -> bool {
        !path.contains("/log")
    }

    fn clear(&mut self, root: &str) {
        self.0.retain(|path, _| !path.starts_with(root));
    }

    fn set(&mut self, path: &str, data: Option<(&[u8], Version)>) {
        match data {
            Some((data, _)) => {
                let text = String::from_utf8(data.to_vec()).unwrap();
                self.0.insert(path.to_owned(), text);
            }
            None => {
                self.0.remove(path);
            }
        }
    }

    fn snapshot(&mut self) -> Arc<Self::View> {
        Arc::new(self.0.clone())
    }
}

fn expected(rig: &impl Rig, znodes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let full = |(name, data): &(&str, &str)| (rig.at(name), (*data).to_owned());
    znodes.iter().map(full).collect()
}

/// Waits until the mirror shows exactly these znodes.
async fn shows(mirror: &Mirror<BTreeMap<String, String>>, wanted: &BTreeMap<String, String>) {
    reach(&mut mirror.view(), |view| view.as_deref() == Some(wanted)).await;
}

async fn current(mirror: &Mirror<BTreeMap<String, String>>) -> u64 {
    let is_current = |freshness: &Freshness| freshness.epoch().is_some();
    reach(&mut mirror.freshness(), is_current).await.epoch().unwrap()
}

/// Mirrors `a` and `b` below the root, with something in each.
async fn mirrored<R: Rig>(rig: &R, tree: &R::Tree) -> Mirror<BTreeMap<String, String>> {
    let names = ["a", "a/x", "a/x/1", "a/log", "a/log/1", "b", "ignored"];
    let ops = names.map(|name| create(rig.at(name), "old"));
    tree.commit(ops.to_vec()).await.unwrap();
    let contender = rig.at("b/0123456789abcdef0123456789abcdef__lock__");
    tree.enlist(&contender, Vec::new()).await.unwrap();
    Mirror::follow(tree, &[&rig.at("a"), &rig.at("b")], Plain::default())
}

pub(crate) async fn a_view_is_complete_and_follows(rig: &mut impl Rig) {
    let (tree, other) = (rig.client().await, rig.client().await);
    let mirror = mirrored(rig, &tree).await;
    let all = [("a", "old"), ("a/x", "old"), ("a/x/1", "old"), ("b", "old")];
    assert_eq!(*mirror.complete().await.unwrap(), expected(rig, &all));
    assert_eq!(current(&mirror).await, live(&tree).await);
    let ops = vec![
        create(rig.at("b/new"), "new"),
        set(rig.at("a"), "new", 0),
        delete(rig.at("a/x/1"), 0),
        set(rig.at("a/log"), "new", 0),
    ];
    other.commit(ops).await.unwrap();
    let all = [("a", "new"), ("a/x", "old"), ("b", "old"), ("b/new", "new")];
    shows(&mirror, &expected(rig, &all)).await;
    assert_eq!(current(&mirror).await, live(&tree).await);
}

pub(crate) async fn what_vanished_during_an_interruption_is_dropped(rig: &mut impl Rig) {
    let tree = rig.mortal().await;
    let mirror = mirrored(rig, &tree).await;
    let before = current(&mirror).await;
    let other = rig.client().await;
    rig.expire(&tree).await;
    other.commit(vec![delete(rig.at("a/x/1"), 0)]).await.unwrap();
    let all = [("a", "old"), ("a/x", "old"), ("b", "old")];
    shows(&mirror, &expected(rig, &all)).await;
    let newer = |freshness: &Freshness| freshness.epoch() > Some(before);
    reach(&mut mirror.freshness(), newer).await;
}

pub(crate) async fn a_view_without_a_session_stays_and_is_stale(rig: &mut impl Rig) {
    let tree = rig.mortal().await;
    let mirror = mirrored(rig, &tree).await;
    current(&mirror).await;
    rig.silence(&tree).await;
    let is_stale = |freshness: &Freshness| freshness.epoch().is_none();
    reach(&mut mirror.freshness(), is_stale).await;
    assert_eq!(mirror.latest().unwrap().len(), 4);
    rig.hear(&tree).await;
    assert_eq!(current(&mirror).await, live(&tree).await);
    assert_eq!(mirror.latest().unwrap().len(), 4);
}
