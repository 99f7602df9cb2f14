//! A command's conversation with one cluster.

use pvc_client::{Client, ClientError, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::format::Form;
use crate::out::Out;

/// What it means that a list is empty.
pub(crate) struct Nothing<'a> {
    /// What to say.
    words: String,
    /// What the things belong to: the request for it, its kind and its name. Of one that is missing
    /// the API says, too, that there are none of the things.
    owner: Option<(&'a Request, &'a str, &'a str)>,
}

impl From<&str> for Nothing<'_> {
    fn from(what: &str) -> Self {
        Self { words: format!("There are no {what} that match."), owner: None }
    }
}

impl<'a> Nothing<'a> {
    /// The things belong to something that must be there.
    pub(crate) fn of(self, owner: &'a Request, what: &'a str, name: &'a str) -> Self {
        Self { owner: Some((owner, what, name)), ..self }
    }

    /// Says something else.
    pub(crate) fn told(self, words: impl Into<String>) -> Self {
        Self { words: words.into(), ..self }
    }
}

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

    /// Asks for all things of a kind that match, and says so if there are none; with how the command
    /// ends once it has shown them.
    async fn list<T: DeserializeOwned>(
        &self,
        request: &Request,
        none: &Nothing<'_>,
    ) -> Result<(Vec<T>, Outcome), Failure> {
        // Scripts ask in this way whether something is there.
        let (found, ended) = match self.client.read(request).await {
            Err(ClientError::NotFound { .. }) if request.is_narrowed() => {
                (Vec::new(), Err(Failure::Silent))
            }
            Err(ClientError::NotFound { .. }) => (Vec::new(), Ok(())),
            other => (other?, Ok(())),
        };
        if !found.is_empty() {
            return Ok((found, ended));
        }
        if let Some((owner, what, name)) = &none.owner {
            self.one::<Value>(owner, what, name).await?;
        }
        self.out.note(&none.words);
        Ok((found, ended))
    }

    /// Asks for one thing, which the API answers as a list of one; fails with `missing` if there is none.
    pub(crate) async fn only<T: DeserializeOwned>(
        &self,
        request: &Request,
        missing: Failure,
    ) -> Result<T, Failure> {
        let mut found: Vec<T> = self.any(request).await?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_) | None, _) => Err(missing),
        }
    }

    /// Asks for one thing, which the API answers as a list of one.
    pub(crate) async fn one<T: DeserializeOwned>(
        &self,
        request: &Request,
        what: &str,
        name: &str,
    ) -> Result<T, Failure> {
        let missing = Failure::new(format!("{what} \"{name}\" not found."))
            .hint(format!("`pvc {} list` shows those that exist.", what.to_lowercase()));
        self.only(request, missing).await
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

    /// Prints all things of a kind that match; to find none is a failure if some were asked for.
    pub(crate) async fn show_list<T: DeserializeOwned, S>(
        &self,
        request: &Request,
        none: impl Into<Nothing<'_>>,
        form: Form<S>,
        lay: impl FnOnce(Vec<T>, S) -> String,
    ) -> Outcome {
        let none = none.into();
        match form {
            Form::Json(json) => {
                let (found, ended) = self.list::<Value>(request, &none).await?;
                self.out.json(&found, json).and(ended)
            }
            Form::Laid(style) => {
                let (found, ended) = self.list(request, &none).await?;
                self.print(&lay(found, style)).and(ended)
            }
        }
    }

    /// Prints what was laid out; nothing, if there is nothing.
    fn print(&self, text: &str) -> Outcome {
        if text.is_empty() { Ok(()) } else { self.out.data(text) }
    }
}
