//! What the API answered.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ClientError;

/// A successful answer: its body is not read yet.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, 2xx.
    pub status: u16,
    pub(crate) base: String,
    pub(crate) request: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as `T`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Garbled`] for a body that is no JSON or of another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| self.garbled(&error.to_string()))
    }

    /// The text of a body `{"message": ...}`.
    ///
    /// # Errors
    ///
    /// As [`Answer::read`].
    pub fn message(&self) -> Result<String, ClientError> {
        let body: Value = self.read()?;
        message_of(&body).ok_or_else(|| self.garbled("no `message` in it"))
    }

    /// The error that says this answer is of no use.
    #[must_use]
    pub fn garbled(&self, reason: &str) -> ClientError {
        ClientError::Garbled {
            base: self.base.clone(),
            request: self.request.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// The message of an answer, which is a text, or one text per argument that was wrong.
pub(crate) fn message_of(body: &Value) -> Option<String> {
    match body.get("message")? {
        Value::String(text) => Some(text.clone()),
        Value::Object(arguments) => {
            let each: Vec<String> = arguments
                .iter()
                .map(|(name, help)| format!("{name}: {}", help.as_str().unwrap_or_default()))
                .collect();
            Some(each.join("; "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_about_arguments_names_each_of_them() {
        let body = json!({"message": {"state": "A valid state must be specified."}});
        assert_eq!(message_of(&body).unwrap(), "state: A valid state must be specified.");
        assert_eq!(message_of(&json!({"message": "x"})).unwrap(), "x");
        assert_eq!(message_of(&json!([1])), None);
    }
}
