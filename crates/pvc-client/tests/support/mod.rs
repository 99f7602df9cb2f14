//! A client, and what it sends.

use pvc_client::fake::FakeApi;
use pvc_client::{Client, Request};

const OK: &str = r#"{"message": "done"}"#;

/// A client of the scripted API.
pub(crate) fn client(api: &FakeApi) -> Client {
    Client::new(api.endpoint(Some("secret")), "test").expect("the loopback is an address")
}

/// Sends a request and expects it to be this line, and its form behind a bar.
pub(crate) async fn line_of(request: Request, expected: &str) {
    let api = FakeApi::start();
    let line = expected.split(['?', '|']).next().unwrap_or_default();
    let line = line.trim_end();
    api.on(line, 200, OK);
    let answer = client(&api).send(&request).await;
    assert!(answer.is_ok(), "{answer:?}");
    let received = api.received().remove(0);
    let sent = received.line.replacen("/api/v1", "", 1);
    let sent = if received.body.is_empty() { sent } else { format!("{sent} | {}", received.body) };
    assert_eq!(sent, expected);
}
