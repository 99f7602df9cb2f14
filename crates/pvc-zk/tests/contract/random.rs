//! Random transactions, on the tree and on the fake as its model.

use pvc_common::zk::{Op, Version};
use pvc_zk::{CommitError, FakeTree, Tree};

use crate::rig::{Rig, create};

/// Numbers that look random and are the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// One of few paths, so that operations meet.
    fn path(&mut self, root: &str) -> String {
        let depth = 1 + self.roll(3);
        (0..depth).fold(root.to_owned(), |path, _| {
            format!("{path}/{}", ["a", "b", "a-b"][self.roll(3) as usize])
        })
    }

    fn op(&mut self, root: &str) -> Op {
        let path = self.path(root);
        let version = Version(self.roll(3) as i32);
        let data = self.roll(1_000).to_string().into_bytes();
        match self.roll(10) {
            0..5 => Op::Create { path, data },
            5 => Op::CreateEphemeral { path, data },
            6 => Op::Set { path, data, version },
            7..9 => Op::Delete { path, version },
            _ => Op::Check { path, version },
        }
    }
}

pub(crate) async fn a_thousand_random_transactions_end_as_the_model_says(rig: &mut impl Rig) {
    let (tree, model) = (rig.client().await, FakeTree::new());
    let root = rig.root();
    model.commit(vec![create(root, "")]).await.unwrap();
    let mut dice = Dice(0x5eed);
    let mut outcomes = [0; 3];
    for turn in 0..1_000 {
        let length = 1 + dice.roll(3);
        let ops: Vec<Op> = (0..length).map(|_| dice.op(root)).collect();
        let expected = model.commit(ops.clone()).await;
        let outcome = tree.commit(ops.clone()).await;
        assert_eq!(outcome, expected, "turn {turn}: {ops:?}");
        outcomes[match outcome {
            Ok(()) => 0,
            Err(CommitError::Superseded { .. }) => 1,
            Err(CommitError::Refused { .. } | CommitError::Unknown { .. }) => 2,
        }] += 1;
    }
    assert!(outcomes.iter().all(|count| *count > 50), "{outcomes:?}");
    let (mut unread, mut znodes) = (vec![root.to_owned()], 0);
    while let Some(path) = unread.pop() {
        let names = tree.children(&path).await.unwrap();
        assert_eq!(names, model.children(&path).await.unwrap(), "{path}");
        assert_eq!(tree.get(&path).await, model.get(&path).await);
        unread.extend(names.unwrap().iter().map(|name| format!("{path}/{name}")));
        znodes += 1;
    }
    assert!(znodes > 5, "{znodes}");
}
