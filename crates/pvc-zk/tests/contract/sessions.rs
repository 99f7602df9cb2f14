//! Sessions: what survives, what ends, and how long a call waits.

use std::time::{Duration, Instant};

use pvc_common::zk::Op;
use pvc_zk::{CommitError, Tree, TreeError};

use crate::rig::{Rig, create, live};

fn brief(path: String) -> Op {
    let data = Vec::new();
    Op::CreateEphemeral { path, data }
}

pub(crate) async fn a_session_survives_an_interruption(rig: &mut impl Rig) {
    let tree = rig.client().await;
    let epoch = live(&tree).await;
    tree.commit(vec![brief(rig.at("mine"))]).await.unwrap();
    rig.interrupt(&[&tree]).await;
    assert_eq!(live(&tree).await, epoch);
    assert!(tree.get(&rig.at("mine")).await.unwrap().is_some());
    tree.commit(vec![create(rig.at("more"), "")]).await.unwrap();
}

pub(crate) async fn a_new_session_has_a_greater_epoch_and_nothing_ephemeral_of_the_old(
    rig: &mut impl Rig,
) {
    let (tree, mine) = (rig.mortal().await, rig.at("mine"));
    let other = rig.client().await;
    let epoch = live(&tree).await;
    let mut changes = other.watch(&mine);
    tree.commit(vec![brief(mine.clone()), create(rig.at("lasting"), "")]).await.unwrap();
    rig.expire(&tree).await;
    assert!(live(&tree).await > epoch);
    // The server may keep the old session a little longer than its client believes.
    while other.get(&mine).await.unwrap().is_some() {
        crate::rig::next(&mut changes).await;
    }
    assert!(tree.get(&rig.at("lasting")).await.unwrap().is_some());
}

pub(crate) async fn calls_without_an_answer_end_at_their_limit(rig: &mut impl Rig) {
    let (tree, a) = (rig.hasty().await, rig.at("a"));
    rig.silence(&tree).await;
    let began = Instant::now();
    let read = tree.get(&a).await;
    assert!(matches!(read, Err(TreeError::NoAnswer { .. })), "{read:?}");
    let write = tree.commit(vec![create(&a, "")]).await;
    assert!(matches!(write, Err(CommitError::Unknown { .. })), "{write:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    rig.hear(&tree).await;
    // Whatever became of the write, the next answer comes after it.
    let written = loop {
        match tree.get(&a).await {
            Ok(entry) => break entry.is_some(),
            Err(TreeError::NoAnswer { .. }) => {}
            Err(refusal) => panic!("{refusal}"),
        }
    };
    let again = tree.commit(vec![create(&a, "")]).await;
    assert_eq!(again.is_err(), written, "{again:?}");
}
