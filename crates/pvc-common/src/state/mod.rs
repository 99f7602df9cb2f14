//! The closed vocabularies of states, with the text each has in ZooKeeper and on the wire.

mod fault;
mod fence;
mod network;
mod node;
mod sriov;
mod storage;
mod task;
mod vm;

pub use fault::FaultStatus;
pub use fence::{EvidenceKind, FencePhase, LeaseKind, Verdict};
pub use network::NetworkType;
pub use node::{CoordinatorState, DaemonMode, DaemonState, DomainState};
pub use sriov::VfLinkState;
pub use storage::{OsdFlag, OsdLoss, Tier};
pub use task::TaskPhase;
pub use vm::{MigrationMethod, Selector, VmState};

/// Why a text is not a word of a closed vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: expected one of {expected}")]
pub struct BadWord {
    text: String,
    kind: &'static str,
    expected: String,
}

/// A vocabulary: a closed set of words, each with its text.
pub trait Word: Copy + Eq + 'static {
    /// What the vocabulary is called in messages.
    const KIND: &'static str;
    /// Every word, in the order it is shown to people.
    const ALL: &'static [Self];

    /// The text of this word in ZooKeeper and on the wire.
    fn text(self) -> &'static str;

    /// The word that `text` stands for.
    ///
    /// # Errors
    /// When `text` is no word of this vocabulary; the message lists those that are.
    fn parse(text: &str) -> Result<Self, BadWord> {
        Self::ALL.iter().copied().find(|word| word.text() == text).ok_or_else(|| BadWord {
            text: text.chars().take(80).collect(),
            kind: Self::KIND,
            expected: Self::ALL.iter().map(|word| word.text()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<W: Word + std::fmt::Debug>() {
        for word in W::ALL {
            assert_eq!(W::parse(word.text()), Ok(*word));
        }
        assert!(W::parse("nonsense").is_err());
    }

    #[test]
    fn every_word_reads_back_as_itself() {
        round_trip::<DaemonMode>();
        round_trip::<DaemonState>();
        round_trip::<CoordinatorState>();
        round_trip::<DomainState>();
        round_trip::<VmState>();
        round_trip::<MigrationMethod>();
        round_trip::<Selector>();
        round_trip::<NetworkType>();
        round_trip::<Tier>();
        round_trip::<OsdFlag>();
        round_trip::<FaultStatus>();
        round_trip::<FencePhase>();
        round_trip::<EvidenceKind>();
        round_trip::<Verdict>();
        round_trip::<LeaseKind>();
        round_trip::<TaskPhase>();
        round_trip::<VfLinkState>();
    }

    #[test]
    fn a_wrong_word_is_told_the_right_ones() {
        let error = DaemonState::parse("running").unwrap_err().to_string();
        assert_eq!(
            error,
            "`running` is not a daemon state: expected one of init, run, shutdown, stop, dead, fenced"
        );
    }
}
