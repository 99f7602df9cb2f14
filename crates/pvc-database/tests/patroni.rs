//! Patroni's REST interface, as a server in its place speaks it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_database::{Patroni, Replicas, ReplicasError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Answers one request with this status line and page, and tells what was asked.
async fn stand_in(status: &str, page: &str) -> (Patroni, oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.0 {status}\r\nServer: BaseHTTP/0.6 Python/3.11.2\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    );
    let (tell, asked) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        // The body comes with the head or right after it; ours ends with a brace.
        while !request.ends_with(b"\r\n\r\n") && !request.ends_with(b"}") {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).await.unwrap();
            request.extend_from_slice(&part[..length]);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        tell.send(String::from_utf8(request).unwrap()).unwrap();
    });
    (Patroni::new(vec![address]), asked)
}

fn hv2() -> NodeName {
    "hv2".parse().unwrap()
}

#[tokio::test]
async fn who_has_the_lock_leads_and_who_has_not_is_no_error() {
    for (status, leads) in [("200 OK", true), ("503 Service Unavailable", false)] {
        let (patroni, asked) = stand_in(status, "{\"state\": \"running\"}").await;
        assert_eq!(patroni.leads().await, Ok(leads));
        assert!(asked.await.unwrap().starts_with("GET /leader HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn members_are_listed_with_who_leads() {
    let page = r#"{"members": [{"name": "hv1", "role": "leader", "state": "running"},
                               {"name": "hv2", "role": "replica", "state": "running", "lag": 0}]}"#;
    let (patroni, asked) = stand_in("200 OK", page).await;
    let all = patroni.all().await.unwrap();
    let seen: Vec<_> = all.members.iter().map(|one| (one.name.as_str(), one.leads)).collect();
    assert_eq!(seen, [("hv1", true), ("hv2", false)]);
    assert!(asked.await.unwrap().starts_with("GET /cluster HTTP/1.1\r\n"));
}

#[tokio::test]
async fn the_lead_is_asked_for_by_naming_both() {
    let (patroni, asked) = stand_in("200 OK", "Successfully switched over to \"hv2\"").await;
    assert_eq!(patroni.pass_on("hv1", &hv2()).await, Ok(()));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("POST /switchover HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with("{\"leader\":\"hv1\",\"candidate\":\"hv2\"}"), "{asked}");
}

#[tokio::test]
async fn a_copy_is_begun_or_refused() {
    let (patroni, asked) = stand_in("200 OK", "reinitialize started").await;
    assert_eq!(patroni.copy_anew().await, Ok(()));
    let asked = asked.await.unwrap();
    assert!(
        asked.starts_with("POST /reinitialize HTTP/1.1\r\n") && asked.ends_with("{}"),
        "{asked}"
    );
    let said = "I am the leader, can not reinitialize";
    let (patroni, _asked) = stand_in("503 Service Unavailable", said).await;
    let why = format!("503 {said}");
    assert_eq!(patroni.copy_anew().await, Err(ReplicasError::Refused { why }));
}

#[tokio::test]
async fn what_is_refused_is_told_in_patronis_words() {
    let (patroni, _asked) = stand_in("412 Precondition Failed", "leader name does not match").await;
    let why = "412 leader name does not match".to_owned();
    assert_eq!(patroni.pass_on("hv1", &hv2()).await, Err(ReplicasError::Refused { why }));
}

#[tokio::test]
async fn one_that_says_nothing_is_given_up_when_the_limit_has_passed() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limit = Duration::from_millis(300);
    let patroni = Patroni::new(vec![silent.local_addr().unwrap()]).limit(limit);
    let begun = Instant::now();
    assert_eq!(patroni.all().await, Err(ReplicasError::Late { limit }));
    assert!(begun.elapsed() >= limit && begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_address_that_takes_connections_is_asked() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Patroni::new(vec![closed]).leads().await.unwrap_err();
    assert!(matches!(nobody, ReplicasError::Unreachable { .. }), "{nobody:?}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open: SocketAddr = listener.local_addr().unwrap();
    let limit = Duration::from_millis(300);
    // The second one takes the connection, and says nothing.
    let asked = Patroni::new(vec![closed, open]).limit(limit).leads().await;
    assert_eq!(asked, Err(ReplicasError::Late { limit }));
}
