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

    /// Asks for all things of a kind; to find none is no failure.
    pub(crate) async fn any<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<Vec<T>, Failure> {
        match self.client.read(request).await {
            Err(ClientError::NotFound { .. }) => Ok(Vec::new()),
            other => Ok(other?),
        }
    }

    /// Asks for all things of a kind that match; says so if there are none.
    async fn list<T: DeserializeOwned>(
        &self,
        request: &Request,
        what: &str,
    ) -> Result<Vec<T>, Failure> {
        let found: Vec<T> = self.any(request).await?;
        if found.is_empty() {
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
        // That there is none is said below, where the name is known.
        let mut found: Vec<T> = self.any(request).await?;
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

    /// Prints something, as the API gives it or laid out by `lay`.
    pub(crate) async fn show<T: DeserializeOwned, S>(
        &self,
        request: &Request,
        form: Form<S>,
        lay: impl FnOnce(T, S) -> String,
    ) -> Outcome {
        match form {
            Form::Json(json) => self.out.json(&self.read::<Value>(request).await?, json),
            Form::Laid(style) => self.print(&lay(self.read(request).await?, style)),
        }
    }

    /// Prints one thing, as [`Session::one`] finds it.
    pub(crate) async fn show_one<T: DeserializeOwned, S>(
        &self,
        request: &Request,
        subject: (&str, &str),
        form: Form<S>,
        lay: impl FnOnce(T, S) -> String,
    ) -> Outcome {
        let (what, name) = subject;
        match form {
            Form::Json(json) => self.out.json(&self.one::<Value>(request, what, name).await?, json),
            Form::Laid(style) => self.print(&lay(self.one(request, what, name).await?, style)),
        }
    }

    /// Prints all things of a kind that match; to find none is no failure.
    pub(crate) async fn show_list<T: DeserializeOwned, S>(
        &self,
        request: &Request,
        what: &str,
        form: Form<S>,
        lay: impl FnOnce(Vec<T>, S) -> String,
    ) -> Outcome {
        match form {
            Form::Json(json) => self.out.json(&self.list::<Value>(request, what).await?, json),
            Form::Laid(style) => self.print(&lay(self.list(request, what).await?, style)),
        }
    }

    /// Prints what was laid out; nothing, if there is nothing.
    fn print(&self, text: &str) -> Outcome {
        if text.is_empty() { Ok(()) } else { self.out.data(text) }
    }
}
