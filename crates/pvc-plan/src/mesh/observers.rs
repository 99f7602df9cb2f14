//! Who observes whom.
//!
//! In a small cluster everybody observes everybody. In a large one a node has a fixed number of
//! observers, so that the cost of a node does not grow with the cluster. They are chosen by
//! rendezvous hashing (Thaler and Ravishankar, 1998) over the names: every node reckons the same
//! without asking, and one that comes or goes changes the observers of few.

use std::collections::BTreeSet;

use pvc_common::id::NodeName;

/// Up to so many nodes everybody observes everybody.
const EVERYBODY: usize = 32;

/// The observers of a node in a larger cluster: enough that a rack that is lost as a whole
/// hardly ever holds most of a node's observers.
pub const FIXED: usize = 15;

/// Who observes `subject`.
#[must_use]
pub fn observers(subject: &NodeName, nodes: &BTreeSet<NodeName>) -> BTreeSet<NodeName> {
    let others = nodes.iter().filter(|node| *node != subject);
    if nodes.len() <= EVERYBODY {
        return others.cloned().collect();
    }
    let mut ranked: Vec<(u64, &NodeName)> =
        others.map(|node| (weight(subject, node), node)).collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    ranked.into_iter().take(FIXED).map(|(_, node)| node.clone()).collect()
}

/// Whom `me` observes.
#[must_use]
pub fn observed_by(me: &NodeName, nodes: &BTreeSet<NodeName>) -> BTreeSet<NodeName> {
    let others = nodes.iter().filter(|node| *node != me);
    if nodes.len() <= EVERYBODY {
        return others.cloned().collect();
    }
    others.filter(|subject| observers(subject, nodes).contains(me)).cloned().collect()
}

/// Spreads pairs of names evenly: FNV-1a, finished as in SplitMix64. Written out because every
/// node of a cluster has to reckon the same, whichever version of a library it was built with.
fn weight(subject: &NodeName, observer: &NodeName) -> u64 {
    let bytes = subject.as_str().bytes().chain([b'/']).chain(observer.as_str().bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
