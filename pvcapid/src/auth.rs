//! Who may ask: whoever knows a token, or has logged in with one.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ring::hmac;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::api::ApiError;
use crate::app::App;
use crate::config::Authentication;

/// Name of the cookie that a login sets; upstream's clients keep whatever has this name.
const COOKIE_NAME: &str = "session";
/// Name of the header that carries a token.
const KEY_HEADER: &str = "x-api-key";

/// Decides who is admitted.
///
/// A login is remembered by the client alone: its cookie holds a random text and a signature
/// over it. So a login survives the move of the primary to another node with the same
/// configuration, and none survives a change of the secret or of the tokens.
pub(crate) struct Gate {
    tokens: Vec<Known>,
    signing: hmac::Key,
}

/// A token and what the configuration calls it.
struct Known {
    token: String,
    description: Arc<str>,
}

/// By what somebody was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The token of this description.
    Token(Arc<str>),
    /// A login, which does not tell by which token.
    Login,
}

/// Whoever sent a request, for the log. It goes with the request; clones learn together by what they were
/// admitted.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    admission: Arc<OnceLock<Admission>>,
    address: Option<SocketAddr>,
}

impl Caller {
    /// Whoever sent a request.
    pub(crate) fn of(request: &Extensions) -> Self {
        request.get().cloned().unwrap_or_else(|| {
            let address = request.get::<ConnectInfo<SocketAddr>>();
            let address = address.map(|ConnectInfo(address)| *address);
            Self { admission: Arc::default(), address }
        })
    }

    /// They were admitted by this.
    pub(crate) fn admit(&self, admission: Admission) {
        // Nobody is admitted twice.
        self.admission.get_or_init(|| admission);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.admission.get() {
            Some(Admission::Token(description)) => write!(f, "token '{description}'")?,
            Some(Admission::Login) => f.write_str("a login")?,
            None => f.write_str("somebody without a token")?,
        }
        match self.address {
            Some(address) => write!(f, " from {address}"),
            None => Ok(()),
        }
    }
}

impl Gate {
    pub(crate) fn new(authentication: &Authentication) -> Self {
        let known = authentication.tokens.iter().map(|token| Known {
            token: token.token.reveal().clone(),
            description: token.description.as_str().into(),
        });
        let mut tokens: Vec<Known> = known.collect();
        tokens.sort_by(|a, b| a.token.cmp(&b.token));
        let mut secret = authentication.secret_key.reveal().clone().into_bytes();
        for known in &tokens {
            secret.push(0);
            secret.extend_from_slice(known.token.as_bytes());
        }
        Self { tokens, signing: hmac::Key::new(hmac::HMAC_SHA256, &secret) }
    }

    /// By what `given` admits; `None` if it is none of the tokens.
    pub(crate) fn admission(&self, given: &str) -> Option<Admission> {
        self.find(given).map(|known| Admission::Token(Arc::clone(&known.description)))
    }

    /// The token that `given` is. Takes as long whichever it is like, for all are compared.
    fn find(&self, given: &str) -> Option<&Known> {
        let mut found = None;
        for known in &self.tokens {
            if known.token.as_bytes().ct_eq(given.as_bytes()).into() {
                found = Some(known);
            }
        }
        found
    }

    /// The `Set-Cookie` value of a new login.
    pub(crate) fn admit(&self) -> String {
        let text = Uuid::new_v4().simple().to_string();
        let signature = hex(hmac::sign(&self.signing, text.as_bytes()).as_ref());
        format!("{COOKIE_NAME}={text}.{signature}; HttpOnly; Path=/; SameSite=Lax")
    }

    /// The `Set-Cookie` value that ends a login.
    pub(crate) fn dismissal() -> String {
        format!("{COOKIE_NAME}=; HttpOnly; Path=/; Max-Age=0; SameSite=Lax")
    }

    fn remembers(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
            .filter_map(|value| value.split_once('.'))
            .any(|(text, signature)| self.signed(text, signature))
    }

    fn signed(&self, text: &str, signature: &str) -> bool {
        unhex(signature)
            .is_some_and(|tag| hmac::verify(&self.signing, text.as_bytes(), &tag).is_ok())
    }

    fn check(&self, headers: &HeaderMap) -> Result<Admission, ApiError> {
        if self.remembers(headers) {
            return Ok(Admission::Login);
        }
        let Some(key) = headers.get(KEY_HEADER) else {
            return Err(ApiError::unauthorized("X-Api-Key Authentication required."));
        };
        self.admission(key.to_str().unwrap_or_default())
            .ok_or_else(|| ApiError::unauthorized("X-Api-Key Authentication failed."))
    }
}

/// Lets through only those who are admitted.
pub(crate) async fn require(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.gate().map(|gate| gate.check(request.headers())).transpose() {
        Ok(admission) => {
            if let Some(admission) = admission {
                Caller::of(request.extensions()).admit(admission);
            }
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use pvc_common::secret::Secret;

    use super::*;
    use crate::config::Token;

    fn gate(secret: &str, tokens: &[&str]) -> Gate {
        let token = |token: &&str| Token {
            description: "test".to_owned(),
            token: Secret::new((*token).to_owned()),
        };
        Gate::new(&Authentication {
            secret_key: Secret::new(secret.to_owned()),
            tokens: tokens.iter().map(token).collect(),
        })
    }

    fn with_cookie(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("other=1; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_token_admits_only_when_it_is_whole() {
        let gate = gate("s", &["token-one", "token-two"]);
        assert!(gate.find("token-one").is_some() && gate.find("token-two").is_some());
        for wrong in ["", "token", "token-one ", "TOKEN-ONE"] {
            assert!(gate.find(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn whoever_asks_is_named_but_not_their_token() {
        let headers = HeaderMap::from_iter([(
            axum::http::HeaderName::from_static(KEY_HEADER),
            axum::http::HeaderValue::from_static("b"),
        )]);
        let address = Some("10.0.0.5:4711".parse().unwrap());
        let caller = Caller { admission: Arc::default(), address };
        caller.clone().admit(gate("s", &["a", "b"]).check(&headers).unwrap());
        assert_eq!(caller.to_string(), "token 'test' from 10.0.0.5:4711");
        let nobody = Caller { admission: Arc::default(), address: None };
        assert_eq!(nobody.to_string(), "somebody without a token");
    }

    #[test]
    fn a_login_is_remembered_by_every_daemon_with_the_same_secret() {
        let cookie = gate("s", &["a", "b"]).admit();
        assert!(gate("s", &["b", "a"]).check(&with_cookie(&cookie)).is_ok());
        assert!(gate("other", &["a", "b"]).check(&with_cookie(&cookie)).is_err());
        assert!(gate("s", &["a"]).check(&with_cookie(&cookie)).is_err());
    }

    #[test]
    fn a_forged_cookie_admits_nobody() {
        let gate = gate("s", &["a"]);
        for forged in ["session=x", "session=x.", "session=.00", "session=x.zz", "session=é.é"] {
            let value = axum::http::HeaderValue::from_bytes(forged.as_bytes()).unwrap();
            assert!(gate.check(&HeaderMap::from_iter([(COOKIE, value)])).is_err(), "{forged}");
        }
        assert!(gate.check(&with_cookie(&Gate::dismissal())).is_err());
    }
}
