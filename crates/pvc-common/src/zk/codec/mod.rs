//! The text forms of values: UTF-8, as upstream writes them (`True`, `False`, `None`).

mod fence;
mod list;
mod optional;
mod scalar;
mod storage;
mod task;
mod vm;

use crate::id::{MacAddress, NodeName, SriovName, VmName, VmUuid};
use crate::state::{
    CoordinatorState, DaemonMode, DaemonState, DomainState, FaultStatus, MigrationMethod,
    NetworkType, Selector, Tier, VfLinkState, VmState, Word,
};

/// Why a text could not be understood as a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadText(pub String);

/// A value with a text form in ZooKeeper.
pub trait Text: Sized {
    /// The text that is written.
    fn encode(&self) -> String;

    /// The value a text stands for.
    ///
    /// # Errors
    /// When the text stands for no value; the message says what was expected.
    fn decode(text: &str) -> Result<Self, BadText>;
}

/// Gives closed vocabularies and identifiers their text form.
macro_rules! text_forms {
    (words: $($word:ty),+; ids: $($id:ty),+) => {
        $(impl Text for $word {
            fn encode(&self) -> String {
                self.text().to_owned()
            }

            fn decode(text: &str) -> Result<Self, BadText> {
                Self::parse(text).map_err(|bad| BadText(bad.to_string()))
            }
        })+
        $(impl Text for $id {
            fn encode(&self) -> String {
                self.to_string()
            }

            fn decode(text: &str) -> Result<Self, BadText> {
                text.parse().map_err(|bad: crate::id::BadId| BadText(bad.to_string()))
            }
        })+
    };
}

text_forms! {
    words: CoordinatorState, DaemonMode, DaemonState, DomainState, FaultStatus, NetworkType, Tier, VfLinkState, VmState;
    ids: MacAddress, NodeName, SriovName, VmName, VmUuid
}

/// Preferences that may be unset: `none`, `None` or nothing in the tree.
macro_rules! optional_words {
    ($($word:ty),+) => {
        $(impl Text for Option<$word> {
            fn encode(&self) -> String {
                self.map_or("none", Word::text).to_owned()
            }

            fn decode(text: &str) -> Result<Self, BadText> {
                match text {
                    "" | "none" | "None" => Ok(None),
                    word => <$word>::parse(word).map(Some).map_err(|bad| BadText(bad.to_string())),
                }
            }
        })+
    };
}

optional_words!(MigrationMethod, Selector);
