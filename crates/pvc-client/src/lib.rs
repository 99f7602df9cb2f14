//! The HTTP client of the API.
//!
//! [`call`] says which request each operation is, as data; [`Client`] sends one and returns
//! the [`Answer`], or one [`ClientError`] per way it can go wrong.

mod answer;
pub mod call;
mod client;
mod destructive;
mod endpoint;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
mod request;
mod upload;

pub use answer::Answer;
pub use client::{Client, Exchange};
pub use destructive::Destructive;
pub use endpoint::{ApiKey, Endpoint, Scheme};
pub use error::ClientError;
pub use request::{Method, Request};
pub use upload::Upload;
