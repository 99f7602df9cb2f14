//! Sends requests.

use std::error::Error;
use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::message_of;
use crate::{Answer, ClientError, Endpoint, Method, Request, Scheme};

/// The longest that setting up a connection may take. Just above two seconds, so that one
/// lost and repeated TCP handshake still gets through.
const CONNECT_LIMIT: Duration = Duration::from_millis(2050);

/// How often a read is tried.
const READ_ATTEMPTS: u32 = 3;

/// The pause before a read is tried again; doubled each time.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// One request and its answer, for a person who wants to see the traffic.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The whole address with its parameters.
    pub url: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// Names and values of the answer's headers.
    pub headers: Vec<(String, String)>,
}

type Trace = Box<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// A connection to one API.
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    base: reqwest::Url,
    trace: Option<Trace>,
}

impl Client {
    /// Prepares a client; nothing is sent yet. `agent` is the `User-Agent`.
    ///
    /// # Errors
    ///
    /// [`ClientError::BadAddress`] if the endpoint makes no URL.
    pub fn new(endpoint: Endpoint, agent: &str) -> Result<Self, ClientError> {
        let bad = |reason: String| ClientError::BadAddress { base: endpoint.base(), reason };
        let base = reqwest::Url::parse(&endpoint.base()).map_err(|e| bad(e.to_string()))?;
        // Fails only when a provider is installed already, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = reqwest::Client::builder().connect_timeout(CONNECT_LIMIT).user_agent(agent);
        let builder = match endpoint.scheme {
            // Reading the system's certificates would cost more than the whole request.
            Scheme::Http => builder.tls_certs_only([]),
            Scheme::Https { verify: true } => builder,
            Scheme::Https { verify: false } => builder.tls_danger_accept_invalid_certs(true),
        };
        let http = builder.build().map_err(|error| bad(deepest(&error)))?;
        Ok(Self { http, endpoint, base, trace: None })
    }

    /// Shows every exchange to `trace`.
    #[must_use]
    pub fn traced(mut self, trace: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        self.trace = Some(Box::new(trace));
        self
    }

    /// Where this client sends its requests.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a request and reads the answer as `T`.
    ///
    /// # Errors
    ///
    /// As [`Client::send`] and [`Answer::read`].
    pub async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ClientError> {
        self.send(request).await?.read()
    }

    /// Sends a request; the answer is one of success.
    ///
    /// Reads are tried three times while the server is unreachable or overloaded; changes
    /// are sent once, for a lost answer does not mean that nothing happened.
    ///
    /// # Errors
    ///
    /// Every [`ClientError`] except [`ClientError::BadAddress`].
    pub async fn send(&self, request: &Request) -> Result<Answer, ClientError> {
        let attempts = match request.method {
            Method::Get => READ_ATTEMPTS,
            Method::Post | Method::Put | Method::Delete => 1,
        };
        let mut pause = RETRY_PAUSE;
        for attempt in 1..attempts {
            let outcome = self.attempt(request, attempt).await;
            if !outcome.as_ref().is_err_and(worth_repeating) {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.attempt(request, attempts).await
    }

    async fn attempt(&self, request: &Request, attempt: u32) -> Result<Answer, ClientError> {
        self.exchange(request, self.build(request), attempt).await
    }

    /// Sends what was built from `request`, once.
    pub(crate) async fn exchange(
        &self,
        request: &Request,
        built: reqwest::RequestBuilder,
        attempt: u32,
    ) -> Result<Answer, ClientError> {
        let failed = |error: reqwest::Error| self.failed(request, attempt, &error);
        let response = built.send().await.map_err(failed)?;
        self.show(&response);
        let status = response.status();
        let body = response.bytes().await.map_err(failed)?.to_vec();
        if status.is_success() {
            Ok(Answer {
                status: status.as_u16(),
                base: self.endpoint.base(),
                request: request.to_string(),
                body,
            })
        } else {
            Err(self.refused(request, status, &body))
        }
    }

    pub(crate) fn build(&self, request: &Request) -> reqwest::RequestBuilder {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("an http address always has path segments")
            .extend(&request.path);
        let mut builder = self.http.request(method, url).timeout(request.limit());
        if !request.query.is_empty() {
            builder = builder.query(&request.query);
        }
        if !request.form.is_empty() {
            builder = builder.form(&request.form);
        }
        if let Some(key) = &self.endpoint.key {
            builder = builder.header("X-Api-Key", key.reveal());
        }
        builder
    }

    fn show(&self, response: &reqwest::Response) {
        let Some(trace) = &self.trace else { return };
        let headers = response.headers().iter().map(|(name, value)| {
            let text = if name == "set-cookie" {
                "(hidden)".to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            (name.to_string(), text)
        });
        trace(&Exchange {
            url: response.url().as_str(),
            status: response.status().as_u16(),
            headers: headers.collect(),
        });
    }

    fn failed(&self, request: &Request, attempts: u32, error: &reqwest::Error) -> ClientError {
        let base = self.endpoint.base();
        if let Some(reason) = tls_failure(error) {
            return ClientError::Untrusted { base, reason };
        }
        if error.is_timeout() && !error.is_connect() {
            return ClientError::TimedOut {
                base,
                request: request.to_string(),
                waited: request.limit(),
            };
        }
        ClientError::Unreachable { base, reason: deepest(error), attempts }
    }

    fn refused(&self, request: &Request, status: StatusCode, body: &[u8]) -> ClientError {
        let base = self.endpoint.base();
        let given = serde_json::from_slice::<Value>(body).ok().and_then(|body| message_of(&body));
        let message = given.clone().unwrap_or_else(|| status.to_string());
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                ClientError::Denied { base, message }
            }
            // Any web server says 404; only the API says what it did not find.
            StatusCode::NOT_FOUND if given.is_none() => {
                ClientError::Garbled { base, request: request.to_string(), reason: message }
            }
            StatusCode::NOT_FOUND => ClientError::NotFound { message },
            other if other.is_client_error() => {
                ClientError::Refused { status: other.as_u16(), message }
            }
            other => ClientError::Broken {
                base,
                request: request.to_string(),
                status: other.as_u16(),
                message,
            },
        }
    }
}

/// Whether a read is tried again at once: nobody listens, or the server says "not now".
fn worth_repeating(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused { status, .. } => *status == 429,
        ClientError::Broken { status, .. } => matches!(status, 500 | 502 | 503 | 504),
        ClientError::TimedOut { .. }
        | ClientError::Untrusted { .. }
        | ClientError::Denied { .. }
        | ClientError::NotFound { .. }
        | ClientError::Garbled { .. }
        | ClientError::BadAddress { .. } => false,
    }
}

/// What lies at the bottom of an error: the system's own words.
fn deepest(error: &(dyn Error + 'static)) -> String {
    chain(error).last().expect("a chain starts with the error itself").to_string()
}

fn tls_failure(error: &(dyn Error + 'static)) -> Option<String> {
    let found = chain(error).find_map(|link| link.downcast_ref::<rustls::Error>());
    found.map(ToString::to_string)
}

/// An error and what caused it. An I/O error does not name what it wraps as its source, so
/// that is looked for inside.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&link| {
        let wrapped = link.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => link.source(),
        }
    })
}
