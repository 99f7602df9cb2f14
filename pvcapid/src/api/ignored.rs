//! Arguments that were given and that nobody asked for, told in a header of the answer.
//!
//! Clients of upstream's API may send whatever they like, so a name that is unknown refuses nothing. But
//! whoever misspelt one gets only half of what they meant, and has to be able to find out.

use std::cell::RefCell;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Names them, separated by commas.
const HEADER: HeaderName = HeaderName::from_static("x-ignored-arguments");
/// How many of them are named, and how much of each: they are the client's own words.
const NAMED: usize = 10;
const SHOWN: usize = 64;

tokio::task_local! {
    static IGNORED: RefCell<Vec<String>>;
}

/// Notes names that were ignored in the request that this task answers.
pub(super) fn note(names: impl Iterator<Item = String>) {
    let noted = IGNORED.try_with(|ignored| ignored.borrow_mut().extend(names));
    if noted.is_err() {
        tracing::trace!("arguments were ignored outside of a request");
    }
}

/// Tells the client of them, if its request was done: a refusal says itself what was wrong.
pub(super) async fn tell(request: Request, next: Next) -> Response {
    let answer = async {
        let response = next.run(request).await;
        (response, IGNORED.with(RefCell::take))
    };
    let (mut response, ignored) = IGNORED.scope(RefCell::default(), answer).await;
    if let Some(names) = header(ignored).filter(|_| response.status().is_success()) {
        response.headers_mut().insert(HEADER, names);
    }
    response
}

/// The header's value; `None` if nothing was ignored.
fn header(mut names: Vec<String>) -> Option<HeaderValue> {
    names.sort();
    names.dedup();
    let plain = |name: &String| {
        let shown = name.chars().take(SHOWN);
        shown.map(|c| if c.is_ascii_graphic() && c != ',' { c } else { '?' }).collect::<String>()
    };
    let names: Vec<String> = names.iter().take(NAMED).map(plain).collect();
    if names.is_empty() {
        return None;
    }
    HeaderValue::from_str(&names.join(", ")).ok()
}
