//! One request, as data.

use std::fmt;
use std::time::Duration;

/// The longest a read may take: the API answers from memory, so silence means trouble.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// What a switch that is off says.
const OFF: &str = "False";

/// The longest a change may take: removing or disabling a VM waits for it to shut down.
const WRITE_LIMIT: Duration = Duration::from_secs(600);

/// The slowest way that a file may take, in bytes per second: about one megabit. What the server
/// does with a file of that size once it has it, such as converting it, goes by the same measure.
const SLOWEST: u64 = 128 * 1024;

/// The verbs of HTTP that the API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; may be repeated at will.
    Get,
    /// Changes or creates.
    Post,
    /// Replaces.
    Put,
    /// Deletes.
    Delete,
}

impl Method {
    const fn text(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A request to the API: where to, and what with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) form: Vec<(&'static str, String)>,
    /// Size of the file that goes with it, in bytes.
    carried: u64,
}

impl Request {
    /// A request to the given path segments below the API's prefix.
    #[must_use]
    pub fn new(method: Method, path: &[&str]) -> Self {
        Self {
            method,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            form: Vec::new(),
            carried: 0,
        }
    }

    /// Whether it asks for some of the things that are there, not for all: it has a parameter other than
    /// a switch that is off.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        self.query.iter().any(|(_, value)| value != OFF)
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Adds a parameter if there is a value for it.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a switch, as the text `True` or `False`.
    #[must_use]
    pub fn switch(self, name: &'static str, on: bool) -> Self {
        self.with(name, if on { "True" } else { OFF })
    }

    /// Adds a parameter once for each value.
    #[must_use]
    pub fn each(self, name: &'static str, values: &[String]) -> Self {
        values.iter().fold(self, |request, value| request.with(name, value))
    }

    /// Adds a large text, which travels in the body.
    #[must_use]
    pub fn form(mut self, name: &'static str, value: String) -> Self {
        self.form.push((name, value));
        self
    }

    /// Says that a file of so many bytes will go with it, see [`Client::upload`].
    ///
    /// [`Client::upload`]: crate::Client::upload
    #[must_use]
    pub const fn carrying(mut self, bytes: u64) -> Self {
        self.carried = bytes;
        self
    }

    /// How long to wait for the answer.
    pub(crate) const fn limit(&self) -> Duration {
        let limit = match self.method {
            Method::Get => READ_LIMIT,
            Method::Post | Method::Put | Method::Delete => WRITE_LIMIT,
        };
        limit.saturating_add(Duration::from_secs(self.carried / SLOWEST))
    }
}

/// Method and path, without the parameters: these may hold secrets.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} /{}", self.method.text(), self.path.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_given_the_time_that_it_needs() {
        let request = Request::new(Method::Post, &["upload"]);
        assert_eq!(request.limit(), Duration::from_mins(10));
        let hundred_gib = request.carrying(100 << 30);
        assert!(hundred_gib.limit() > Duration::from_hours(200), "{:?}", hundred_gib.limit());
    }
}
