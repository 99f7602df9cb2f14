//! A command's conversation with one cluster.

use pvc_client::{Client, ClientError, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::format::Form;
use crate::out::Out;

/// One cluster, by one connection.
pub(crate) struct Session {
    /// The connection's name.
    pub(crate) name: String,
    /// The way to its API.
    pub(crate) client: Client,
    /// Where text goes.
    pub(crate) out: Out,
}

impl Session {
    /// Asks for something.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        Ok(self.client.read(request).await?)
    }

    /// Asks for all things of a kind that match; to find none is no failure.
    pub(crate) async fn list(&self, request: &Request, what: &str) -> Result<Value, Failure> {
        let found = match self.client.read(request).await {
            Err(ClientError::NotFound { .. }) => Value::Array(Vec::new()),
            other => other?,
        };
        if found.as_array().is_some_and(Vec::is_empty) {
            self.out.note(&format!("There are no {what} that match."));
        }
        Ok(found)
    }

    /// Asks for one thing, which the API answers as a list of one.
    pub(crate) async fn one<T: DeserializeOwned>(
        &self,
        request: &Request,
        what: &str,
        name: &str,
    ) -> Result<T, Failure> {
        let mut found: Vec<T> = self.read(request).await.map_err(|failure| {
            failure.hint(format!("`pvc {} list` shows those that exist.", what.to_lowercase()))
        })?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_) | None, _) => Err(Failure::new(format!("{what} \"{name}\" not found."))
                .hint(format!("`pvc {} list` shows those that exist.", what.to_lowercase()))),
        }
    }

    /// Has something done and prints what the API says about it.
    pub(crate) async fn tell(&self, request: &Request) -> Outcome {
        let message = self.act(request).await?;
        self.out.data(&message)
    }

    /// Has something done and returns what the API says about it.
    pub(crate) async fn act(&self, request: &Request) -> Result<String, Failure> {
        Ok(self.client.send(request).await?.message()?)
    }

    /// Prints an answer as it came, or laid out by `lay`.
    pub(crate) fn show<T: DeserializeOwned, S>(
        &self,
        answer: Value,
        form: Form<S>,
        lay: impl FnOnce(T, S) -> String,
    ) -> Outcome {
        match form {
            Form::Json(json) => self.out.json(&answer, json),
            Form::Laid(style) => {
                let data = serde_json::from_value(answer).map_err(|error| {
                    Failure::new(format!("The API's answer has an unknown shape: {error}"))
                        .hint("Is the API about as new as this client? `--format json` shows it.")
                })?;
                let text = lay(data, style);
                if text.is_empty() { Ok(()) } else { self.out.data(&text) }
            }
        }
    }
}
