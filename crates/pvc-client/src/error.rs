//! Why a request did not give an answer that can be used.

use std::time::Duration;

/// Why a request to the API failed. `base` is always the API's address.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there, or the connection broke off. Nothing is known about the effect
    /// of a request that was under way.
    #[error("no connection to {base}: {reason} (tried {attempts} {})", times(*attempts))]
    Unreachable {
        /// The API's address.
        base: String,
        /// What the system said.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The server took the request but did not answer in time.
    #[error("no answer from {base} to {request} within {} s", waited.as_secs())]
    TimedOut {
        /// The API's address.
        base: String,
        /// Method and path.
        request: String,
        /// How long the client waited.
        waited: Duration,
    },
    /// The TLS handshake failed: an unknown certificate, or a server that does not speak TLS.
    #[error("no trust in {base}: {reason}")]
    Untrusted {
        /// The API's address.
        base: String,
        /// What the handshake said.
        reason: String,
    },
    /// The API key is missing or wrong.
    #[error("{base} refused the API key: {message}")]
    Denied {
        /// The API's address.
        base: String,
        /// The server's message.
        message: String,
    },
    /// What was asked about does not exist.
    #[error("{message}")]
    NotFound {
        /// The server's message.
        message: String,
    },
    /// The server will not do this.
    #[error("{message}")]
    Refused {
        /// The HTTP status, 4xx.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// The server failed.
    #[error("{base} failed with status {status} at {request}: {message}")]
    Broken {
        /// The API's address.
        base: String,
        /// Method and path.
        request: String,
        /// The HTTP status, 5xx.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// The answer is not what this client knows: another program, or another version.
    #[error("{base} answered {request} with something unexpected: {reason}")]
    Garbled {
        /// The API's address.
        base: String,
        /// Method and path.
        request: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The address cannot be used at all.
    #[error("`{base}` is no address of an API: {reason}")]
    BadAddress {
        /// The API's address as configured.
        base: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ClientError {
    /// Whether the same request may succeed a moment later, as while the API moves to
    /// another coordinator.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Broken { .. } => true,
            Self::Untrusted { .. }
            | Self::Denied { .. }
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Garbled { .. }
            | Self::BadAddress { .. } => false,
        }
    }
}

const fn times(attempts: u32) -> &'static str {
    if attempts == 1 { "time" } else { "times" }
}
