//! What the log tells of requests: who changed what, and no secrets.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Waker};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};

use crate::support::{Cluster, TOKEN};

thread_local! {
    /// What this thread, and so this test, has logged.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The log at `info` and above. It is the whole process's: one of a thread is missed by what other tests
/// log for the first time meanwhile.
struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        let lines = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(|| Self);
        tracing::subscriber::set_global_default(lines.finish()).unwrap();
        Self
    }

    /// The lines since the last call.
    fn take(&self) -> Vec<String> {
        let bytes = LOGGED.take();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

fn request(method: Method, path: &str, token: Option<&str>, form: &str) -> Request<Body> {
    let from: SocketAddr = "10.9.0.7:4711".parse().unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .extension(ConnectInfo(from))
        .header("content-type", "application/x-www-form-urlencoded");
    if let Some(token) = token {
        request = request.header("X-Api-Key", token);
    }
    request.body(Body::from(form.to_owned())).unwrap()
}

#[tokio::test]
async fn each_request_that_may_change_something_is_one_line_that_says_who_and_what() {
    let cluster = Cluster::new().await;
    let log = Log::start();
    let ours = Some(TOKEN);
    let form = "description=lab&nettype=managed&ip4_network=10.2.0.0/24&ip4_gateway=10.2.0.1";
    let login = format!("token={TOKEN}");
    let by_token = "by token 'test' from 10.9.0.7:4711 -> ";
    let by_nobody = "by somebody without a token from 10.9.0.7:4711 -> ";
    for (method, path, token, form, line, status) in [
        (Method::POST, "/network/2000", ours, form, by_token, 200),
        (Method::PUT, "/network/2000", ours, "mtu=1400", by_token, 200),
        (Method::PUT, "/network/2000", ours, "mtu=x", by_token, 400),
        (Method::DELETE, "/network/2000", ours, "", by_token, 200),
        (Method::POST, "/vm/web1/state", Some("hunter2"), "state=stop", by_nobody, 401),
        (Method::DELETE, "/vm/web1", None, "", by_nobody, 401),
        (Method::POST, "/login", None, &login, by_token, 200),
        (Method::POST, "/login", None, "token=hunter2", by_nobody, 401),
        (Method::PUT, "/nosuch", ours, "", by_nobody, 404),
    ] {
        let sent = request(method.clone(), path, token, form);
        cluster.send(sent).await.is(status);
        let lines = log.take();
        let [told] = &lines[..] else { panic!("{method} {path}: {lines:?}") };
        let expected = format!("{method} /api/v1{path} {line}{status} in ");
        assert!(told.contains(&expected), "{expected}: {told}");
        for secret in [TOKEN, "hunter2", "10.2.0.0", "mtu"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    // A client that goes away before it is answered.
    let mut sent = Box::pin(cluster.send(request(Method::DELETE, "/vm/web1", ours, "")));
    assert!(sent.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(sent);
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains(" -> no answer in "), "{lines:?}");
    cluster.send(request(Method::GET, "/network?limit=x", ours, "")).await;
    assert_eq!(log.take(), [""; 0], "who only asks changes nothing");
}
