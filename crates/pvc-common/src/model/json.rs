//! Texts of other programs that are kept as they came.

use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::zk::{BadText, Text};

/// A JSON document, known to be one but not taken apart. Cloning shares the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    /// An object without fields.
    #[must_use]
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// The text of a value.
    #[must_use]
    pub fn of(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }

    /// The document as text; empty where none was written yet.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Text for Json {
    fn encode(&self) -> String {
        self.0.as_ref().to_owned()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        if !text.trim().is_empty() {
            serde_json::from_str::<IgnoredAny>(text)
                .map_err(|error| BadText(format!("not JSON: {error}")))?;
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_kept_letter_by_letter() {
        for good in ["", "{}", "{\"a\": 1.50}", " [1]\n"] {
            assert_eq!(Json::decode(good).unwrap().text(), good);
        }
        for bad in ["{", "None", "{}{}", "'a'"] {
            assert!(Json::decode(bad).is_err(), "{bad:?}");
        }
    }
}
