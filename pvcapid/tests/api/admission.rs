//! Who is admitted, and what they are told who are not.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{COOKIE, SET_COOKIE};

use crate::support::{Answer, Cluster, TOKEN};

async fn ask(cluster: &Cluster, method: &str, path: &str, header: Option<(&str, &str)>) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    cluster.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn without_a_token_only_the_open_endpoints_answer() {
    let cluster = Cluster::new().await;
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/status/primary_node", 200),
        ("GET", "/metrics", 200),
        ("GET", "/metrics/health", 200),
        ("GET", "/metrics/resource", 200),
        ("GET", "/docs/", 200),
        ("POST", "/logout", 200),
        ("GET", "/status", 401),
        ("GET", "/vm", 401),
        ("GET", "/backup", 401),
        ("DELETE", "/vm/web1", 401),
        ("POST", "/vm", 401),
        ("POST", "/initialize?overwrite=True&yes-i-really-mean-it=yes", 401),
    ] {
        ask(&cluster, method, path, None).await.is(status);
    }
    let answer = ask(&cluster, "GET", "/status", None).await.is(401);
    assert_eq!(answer.message(), "X-Api-Key Authentication required.");
}

#[tokio::test]
async fn a_wrong_token_is_told_so_and_not_repeated() {
    let cluster = Cluster::new().await;
    for wrong in ["the-toke", "the-token2", "", "THE-TOKEN"] {
        let answer = ask(&cluster, "GET", "/vm", Some(("X-Api-Key", wrong))).await.is(401);
        assert_eq!(answer.message(), "X-Api-Key Authentication failed.");
    }
    ask(&cluster, "GET", "/vm", Some(("X-Api-Key", TOKEN))).await.is(200);
}

#[tokio::test]
async fn a_login_admits_until_the_logout() {
    let cluster = Cluster::new().await;
    let answer = ask(&cluster, "POST", &format!("/login?token={TOKEN}"), None).await.is(200);
    assert_eq!(answer.message(), "Authentication successful");
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && !cookie.contains(TOKEN), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    ask(&cluster, "GET", "/vm", Some((COOKIE.as_str(), pair))).await.is(200);
    let answer = ask(&cluster, "POST", "/logout", Some((COOKIE.as_str(), pair))).await.is(200);
    assert_eq!(answer.message(), "Deauthentication successful");
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
    let pair = cookie.split(';').next().unwrap();
    ask(&cluster, "GET", "/vm", Some((COOKIE.as_str(), pair))).await.is(401);
}

#[tokio::test]
async fn a_part_of_a_token_is_no_login() {
    let cluster = Cluster::new().await;
    for wrong in ["the", "", "token"] {
        ask(&cluster, "POST", &format!("/login?token={wrong}"), None).await.is(401);
    }
    let answer = ask(&cluster, "POST", "/login", None).await.is(400);
    assert!(answer.body["message"]["token"].is_string(), "{answer:?}");
}
