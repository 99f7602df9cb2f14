//! The snapshots of a VM as clients are shown them.

use std::cmp::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use pvc_common::api;
use pvc_common::model::{VmDetails, VmSnapshot};
use pvc_common::zk::Text;
use similar::TextDiff;

/// How many lines around a difference are shown.
const CONTEXT: usize = 3;

/// The snapshots, the newest first.
///
/// Their age is by this machine's clock and their time by that of the node that took them: good
/// enough for people, and nothing is decided by it.
pub(super) fn snapshots(details: &VmDetails) -> Vec<api::VmSnapshot> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let current = details.xml.get().map_or("", |xml| xml);
    let mut snapshots: Vec<_> = details.snapshots.iter().collect();
    snapshots.sort_by(|(_, a), (_, b)| newest_first(a, b));
    let shown = snapshots.into_iter().map(|(name, snapshot)| api::VmSnapshot {
        name: name.to_string(),
        timestamp: snapshot.timestamp.get().map(Text::encode).unwrap_or_default(),
        age: snapshot.timestamp.copied().map_or(0, |taken| seconds(now - taken.0)),
        xml_diff_lines: difference(current, snapshot.xml.get().map_or("", |xml| xml)),
        rbd_snapshots: snapshot
            .volumes
            .get()
            .map(|volumes| volumes.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
    });
    shown.collect()
}

fn newest_first(a: &VmSnapshot, b: &VmSnapshot) -> Ordering {
    let taken = |snapshot: &VmSnapshot| snapshot.timestamp.copied().map_or(0.0, |taken| taken.0);
    taken(b).total_cmp(&taken(a))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an age is whole seconds, and a snapshot from the future has none"
)]
fn seconds(age: f64) -> u64 {
    age.max(0.0) as u64
}

/// How the definition was then, as a unified diff from now.
fn difference(current: &str, then: &str) -> Vec<String> {
    if current == then {
        return Vec::new();
    }
    let diff = TextDiff::from_lines(current, then);
    let mut unified = diff.unified_diff();
    let text = unified
        .context_radius(CONTEXT)
        .missing_newline_hint(false)
        .header("current", "snapshot")
        .to_string();
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_unified_diff() {
        assert_eq!(
            difference("<a>\n<b/>\n</a>", "<a>\n<c/>\n</a>"),
            ["--- current", "+++ snapshot", "@@ -1,3 +1,3 @@", " <a>", "-<b/>", "+<c/>", " </a>"]
        );
        assert_eq!(difference("<a/>", "<a/>"), Vec::<String>::new());
    }

    #[test]
    fn an_age_is_never_negative() {
        assert_eq!((seconds(3.9), seconds(-5.0)), (3, 0));
    }
}
