//! Many writes as few transactions that ZooKeeper takes.

use crate::zk::Op;

/// Bytes of one transaction. ZooKeeper refuses 1 MiB; half of it leaves room for what a
/// transaction costs besides.
const LIMIT: usize = 512 * 1024;

/// What an operation costs besides its path and its data, generously.
const OVERHEAD: usize = 64;

/// Splits `ops` and, after them, `last` into transactions, each within the limit if its single
/// operations are. All but the last begin with `guard`.
pub(super) fn transactions<const N: usize>(
    ops: Vec<Op>,
    guard: &[Op],
    last: [Op; N],
) -> Vec<Vec<Op>> {
    let mut all: Vec<Vec<Op>> = Vec::new();
    let mut room = 0;
    for op in ops.into_iter().chain(last) {
        let size = size(&op);
        match all.last_mut() {
            Some(transaction) if size <= room => transaction.push(op),
            Some(_) | None => {
                all.push(vec![op]);
                room = LIMIT;
            }
        }
        room = room.saturating_sub(size);
    }
    if let Some((_, before)) = all.split_last_mut() {
        for transaction in before {
            transaction.splice(0..0, guard.iter().cloned());
        }
    }
    all
}

fn size(op: &Op) -> usize {
    let data = match op {
        Op::Create { data, .. } | Op::CreateEphemeral { data, .. } | Op::Set { data, .. } => {
            data.len()
        }
        Op::Delete { .. } | Op::Check { .. } => 0,
    };
    OVERHEAD + op.path().len() + data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zk::{Expected, Version};

    fn create(n: usize, bytes: usize) -> Op {
        Op::put(format!("/{n}"), vec![b'x'; bytes], Expected::Absent)
    }

    #[test]
    fn each_transaction_is_small_enough_and_nothing_is_lost_or_swapped() {
        let ops: Vec<Op> = (0..50).map(|n| create(n, n * 1000)).collect();
        let split = transactions(ops.clone(), &[], []);
        assert!(split.len() > 2);
        assert!(split.iter().all(|ops| ops.iter().map(size).sum::<usize>() <= LIMIT));
        assert_eq!(split.concat(), ops);
    }

    #[test]
    fn what_comes_last_is_in_the_last_one_and_all_before_are_guarded() {
        let guard = Op::Check { path: "/v".to_owned(), version: Version(1) };
        let split = transactions(
            vec![create(1, LIMIT / 2), create(2, LIMIT / 2), create(3, LIMIT / 2)],
            std::slice::from_ref(&guard),
            [create(4, 0)],
        );
        let (last, before) = split.split_last().unwrap();
        assert!(before.iter().all(|ops| ops[0] == guard));
        assert_eq!(last.last().unwrap().path(), "/4");
        assert!(!last.contains(&guard));
    }

    #[test]
    fn nothing_to_write_is_no_transaction() {
        assert!(transactions(vec![], &[create(1, 0)], []).is_empty());
    }
}
