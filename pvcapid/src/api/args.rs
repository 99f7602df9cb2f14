//! The arguments of a request: everything in the query and in a form, by name.
//!
//! Every argument is text, as upstream has it. A name that occurs more than once holds a list;
//! the same name in the query and in the form is one list too.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Query, Request};
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use pvc_common::state::Word;

use super::error::ApiError;
use super::ignored;

/// The argument without which nothing is overwritten.
pub(crate) const CONFIRMATION: &str = "yes-i-really-mean-it";

const MISSING: &str = "Missing required parameter in the query string or the post body";

/// The arguments of a request. When they are dropped, those that nobody asked for are noted: they were
/// ignored.
#[derive(Debug, Default)]
pub(crate) struct Args(Vec<Given>);

/// An argument as it was given.
#[derive(Debug)]
struct Given {
    name: String,
    text: String,
    /// Whether somebody asked for it.
    asked: AtomicBool,
}

impl Args {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let given = |(name, text)| Given { name, text, asked: AtomicBool::new(false) };
        Self(pairs.into_iter().map(given).collect())
    }

    /// What was given for `name`, in order; from now on it is not ignored.
    fn given(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |given| given.name == name).map(|given| {
            given.asked.store(true, Ordering::Relaxed);
            given.text.as_str()
        })
    }
}

impl Drop for Args {
    fn drop(&mut self) {
        let ignored = self.0.drain(..).filter(|given| !given.asked.load(Ordering::Relaxed));
        ignored::note(ignored.map(|given| given.name));
    }
}

/// Those of the query alone, for a request whose body is something else.
#[derive(Debug, Default)]
pub(crate) struct QueryArgs(pub(crate) Args);

impl<S: Send + Sync> FromRequestParts<S> for QueryArgs {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        of_query(&parts.uri).map(|pairs| Self(Args::of(pairs)))
    }
}

fn of_query(uri: &Uri) -> Result<Vec<(String, String)>, ApiError> {
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    query
        .map(|query| query.0)
        .map_err(|error| ApiError::bad_body(error.status(), error.body_text()))
}

impl<S: Send + Sync> FromRequest<S> for Args {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let mut pairs = of_query(request.uri())?;
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if kind.starts_with("application/x-www-form-urlencoded") && has_body(&request) {
            let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
            let form =
                form.map_err(|error| ApiError::bad_body(error.status(), error.body_text()))?;
            pairs.extend(form.0);
        } else if kind.starts_with("multipart/form-data") {
            pairs.extend(multipart(request, state).await?);
        }
        Ok(Self::of(pairs))
    }
}

/// For these methods the form extractor would read the query a second time.
fn has_body(request: &Request) -> bool {
    use axum::http::Method;
    !matches!(*request.method(), Method::GET | Method::HEAD)
}

async fn multipart<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Vec<(String, String)>, ApiError> {
    let mut parts = Multipart::from_request(request, state)
        .await
        .map_err(|error| ApiError::bad_body(error.status(), error.body_text()))?;
    let mut pairs = Vec::new();
    let bad = |error: axum::extract::multipart::MultipartError| {
        ApiError::bad_body(error.status(), error.body_text())
    };
    while let Some(part) = parts.next_field().await.map_err(bad)? {
        let name = part.name().unwrap_or_default().to_owned();
        pairs.push((name, part.text().await.map_err(bad)?));
    }
    Ok(pairs)
}

impl Args {
    /// The argument's text; the last wins if it was given several times.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.given(name).fold(None, |_, text| Some(text))
    }

    /// Every text that was given for the argument, in order.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.given(name).map(str::to_owned).collect()
    }

    /// The argument's text, which must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| ApiError::argument(name, MISSING))
    }

    /// Whether the argument says yes; what is no flag says no, as upstream has it.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name).and_then(yes_or_no).unwrap_or(false)
    }

    /// What a setting is switched to; `None` if it was not given or is empty. What is neither yes nor
    /// no is refused: a misspelling must not switch anything.
    pub(crate) fn switch(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(text) = self.text(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        yes_or_no(text).map(Some).ok_or_else(|| {
            let help = format!("{text} is not valid; expected True or False");
            ApiError::argument(name, help)
        })
    }

    /// The word that was given, one of `words`; `None` if none was.
    pub(crate) fn choice<W: Copy>(
        &self,
        name: &str,
        words: &[(&str, W)],
    ) -> Result<Option<W>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let help = format!("{text} is not a valid choice; expected {}", known.join(", "));
                Err(ApiError::argument(name, help))
            }
        }
    }

    /// The word that was given, one of `words`, which must be there.
    pub(crate) fn required_choice<W: Copy>(
        &self,
        name: &str,
        words: &[(&str, W)],
    ) -> Result<W, ApiError> {
        self.choice(name, words)?.ok_or_else(|| ApiError::argument(name, MISSING))
    }

    /// A preference that may also be `none`; the outer `None` if it was not given.
    pub(crate) fn preference<W: Word>(&self, name: &str) -> Result<Option<Option<W>>, ApiError> {
        let mut words: Vec<(&str, Option<W>)> =
            W::ALL.iter().map(|word| (word.text(), Some(*word))).collect();
        words.push(("none", None));
        self.choice(name, &words)
    }

    /// A whole number; `None` if it was not given or is empty.
    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, ApiError> {
        let Some(text) = self.text(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            ApiError::argument(name, format!("{text} is not valid; expected a whole number"))
        })
    }

    /// A list, given as repeated arguments or with commas; `None` if it was not given.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let texts = self.texts(name);
        if texts.is_empty() {
            return None;
        }
        let items = texts.iter().flat_map(|text| text.split(','));
        Some(items.map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request as HttpRequest;
    use pvc_common::state::Selector;

    use super::*;

    async fn args(query: &str, form: Option<(&str, &str)>) -> Args {
        let mut request = HttpRequest::post(format!("/x?{query}"));
        let mut body = Body::empty();
        if let Some((kind, text)) = form {
            request = request.header(CONTENT_TYPE, kind);
            body = Body::from(text.to_owned());
        }
        Args::from_request(request.body(body).unwrap(), &()).await.unwrap()
    }

    const URLENCODED: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn query_and_form_are_one() {
        let args = args("a=1&b=x%20y", Some((URLENCODED, "a=2&c=%C3%A9"))).await;
        assert_eq!(args.texts("a"), ["1", "2"]);
        assert_eq!((args.text("b"), args.text("c")), (Some("x y"), Some("é")));
        assert_eq!(args.text("d"), None);
    }

    #[tokio::test]
    async fn a_multipart_form_is_a_form() {
        let body =
            "--B\r\ncontent-disposition: form-data; name=\"xml\"\r\n\r\n<domain/>\r\n--B--\r\n";
        let args = args("", Some(("multipart/form-data; boundary=B", body))).await;
        assert_eq!(args.required("xml").unwrap(), "<domain/>");
    }

    #[tokio::test]
    async fn flags_are_what_people_type() {
        let args = args("a=Yes&b=1&c=off&d=maybe&e=", None).await;
        assert!(args.flag("a") && args.flag("b"));
        for no in ["c", "d", "e", "f"] {
            assert!(!args.flag(no), "{no}");
        }
    }

    #[tokio::test]
    async fn a_switch_is_neither_turned_by_a_misspelling_nor_by_nothing() {
        let args = args("a=Yes&b=0&c=&d=ture", None).await;
        assert_eq!(args.switch("a").unwrap(), Some(true));
        assert_eq!(args.switch("b").unwrap(), Some(false));
        for absent in ["c", "e"] {
            assert_eq!(args.switch(absent).unwrap(), None, "{absent}");
        }
        let why = args.switch("d").unwrap_err().to_string();
        assert!(why.contains("ture is not valid; expected True or False"), "{why}");
    }

    #[tokio::test]
    async fn a_wrong_choice_is_told_the_right_ones() {
        let args = args("selector=best&other=none", None).await;
        assert!(args.preference::<Selector>("selector").is_err());
        assert_eq!(args.preference::<Selector>("other").unwrap(), Some(None));
        assert_eq!(args.preference::<Selector>("absent").unwrap(), None);
    }

    #[tokio::test]
    async fn a_list_is_repeated_or_has_commas() {
        let args = args("limit=hv1,hv2&tag=a&tag=b&none=", None).await;
        assert_eq!(args.list("limit").unwrap(), ["hv1", "hv2"]);
        assert_eq!(args.list("tag").unwrap(), ["a", "b"]);
        assert_eq!(args.list("none"), Some(vec![]));
        assert_eq!(args.list("absent"), None);
    }
}
