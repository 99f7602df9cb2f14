//! The one error of all handlers, and what a client sees of it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pvc_common::api::{Message, Refusal, RefusalText};
use pvc_zk::{CommitError, TreeError};

use crate::request;

/// Why a request was not answered as asked.
///
/// `code` is for programs and never changes its meaning. What caused a status of 500 or more
/// is logged once, under the request's id, and not shown.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: RefusalText,
    cause: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        // As every other sentence of the API: no double quotes.
        let message = RefusalText::Sentence(Message::new(message).message);
        Self { status, code, message, cause: None }
    }

    /// The request makes no sense as things are (400).
    #[must_use]
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// An argument is missing or wrong (400).
    #[must_use]
    pub fn argument(name: &str, help: impl Into<String>) -> Self {
        let arguments = BTreeMap::from([(name.to_owned(), help.into())]);
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "bad-argument",
            message: RefusalText::Arguments(arguments),
            cause: None,
        }
    }

    /// There is no such thing (404); `what` is its kind, such as `VM`.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("{what} not found."))
    }

    /// There is no such thing (404), in a sentence of its own.
    #[must_use]
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    /// There is no such address, or not with this method.
    #[must_use]
    pub fn no_route(status: StatusCode, message: &str) -> Self {
        Self::new(status, "no-such-endpoint", message)
    }

    /// Whoever asks did not say who they are, or lied (401).
    #[must_use]
    pub fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// The body of the request cannot be understood, or is too large.
    #[must_use]
    pub fn bad_body(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, "bad-body", message)
    }

    /// As many are asking for the same kind of thing as are served at once (429); nothing was done.
    #[must_use]
    pub fn too_many(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, message)
    }

    /// It was changed since it was read (409); nothing was written.
    #[must_use]
    pub fn changed(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// Others kept changing the same thing; nothing was written (409).
    #[must_use]
    pub fn contended(path: &str) -> Self {
        let message = "Somebody else keeps changing the same object; nothing was changed. \
                       Try again.";
        let error = Self::new(StatusCode::CONFLICT, "contended", message);
        Self { cause: Some(format!("{path} changed at every attempt")), ..error }
    }

    /// What was asked for was begun, but is not finished within the time a request may take (504).
    #[must_use]
    pub fn still_waiting(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "still-waiting", message)
    }

    /// The cluster cannot be read or written at this moment (503).
    #[must_use]
    pub fn unavailable(message: &str, cause: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        Self { cause: Some(cause.into()), ..error }
    }

    /// A defect, here or in the data (500).
    #[must_use]
    pub fn internal(cause: &dyn Error) -> Self {
        let error =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal Server Error");
        Self { cause: Some(chain(cause)), ..error }
    }

    /// The status that is answered.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl From<TreeError> for ApiError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::NoAnswer { .. } => {
                Self::unavailable("The cluster's database does not answer.", chain(&error))
            }
            TreeError::Refused { .. } => Self::internal(&error),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match &error {
            CommitError::Superseded { path } => Self::contended(path),
            CommitError::Refused { .. } => Self::internal(&error),
            CommitError::Unknown { .. } => Self::unavailable(
                "The cluster's database did not confirm the change; it may or may not have \
                 been made.",
                chain(&error),
            ),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = request::id();
        if let Some(cause) = self.cause.filter(|_| self.status.is_server_error()) {
            tracing::error!(
                code = self.code,
                "request {} failed: {cause}",
                request_id.as_deref().unwrap_or("-")
            );
        }
        let shown = self.status.is_server_error().then_some(request_id).flatten();
        let refusal =
            Refusal { message: self.message, code: Some(self.code.to_owned()), request_id: shown };
        (self.status, Json(refusal)).into_response()
    }
}
