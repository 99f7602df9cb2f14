//! Answers that are one sentence: what was done, or why not.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One sentence about what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// The sentence; never contains double quotes.
    pub message: String,
}

impl Message {
    /// The sentence as upstream sends it: double quotes become single ones.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { message: text.into().replace('"', "'") }
    }
}

/// Why a request was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// The sentence, or one sentence per argument.
    pub message: RefusalText,
    /// What kind of refusal it is, for programs; stable. Upstream's servers send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Under which number the daemon's log speaks of this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The text of a [`Refusal`]: upstream names the argument at fault by a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RefusalText {
    /// One sentence.
    Sentence(String),
    /// What is wrong with each argument, by its name.
    Arguments(BTreeMap<String, String>),
}

impl fmt::Display for RefusalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentence(text) => f.write_str(text),
            Self::Arguments(arguments) => {
                for (index, (argument, text)) in arguments.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{argument}: {text}")?;
                }
                Ok(())
            }
        }
    }
}
