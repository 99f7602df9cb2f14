//! Patroni on this node, by its REST interface.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use pvc_common::id::NodeName;
use pvc_common::observed::{Member, Replication};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::replicas::{Replicas, ReplicasError};

/// How long a question may take. Patroni asks its store for some of them.
const ASK_LIMIT: Duration = Duration::from_secs(3);
/// How long passing the lead on may take. Patroni answers when it is done, usually after 2 s, and
/// gives up by itself after 10 s or the length of its own loop.
const PASS_LIMIT: Duration = Duration::from_secs(30);
/// More than hundreds of members tell.
const PAGE_LIMIT: usize = 1 << 20;
/// How much of an answer an error repeats.
const WORDS: usize = 200;

/// Patroni on this node.
#[derive(Clone, Debug)]
pub struct Patroni {
    /// Where it may listen; the first that takes a connection is asked.
    addresses: Vec<SocketAddr>,
    ask: Duration,
}

/// What `/cluster` answers, as far as we read it.
#[derive(Deserialize)]
struct Cluster {
    members: Vec<Listed>,
    #[serde(default)]
    pause: bool,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    timeline: Option<u64>,
    /// A number, or `unknown`.
    #[serde(default)]
    lag: Value,
}

impl Patroni {
    /// The one that listens at one of these addresses.
    #[must_use]
    pub const fn new(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses, ask: ASK_LIMIT }
    }

    /// The same with another deadline for questions.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.ask = limit;
        self
    }

    async fn connect(&self) -> Result<TcpStream, ReplicasError> {
        let mut why = "it has no address".to_owned();
        for address in &self.addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => why = format!("{address}: {error}"),
            }
        }
        Err(ReplicasError::Unreachable { why })
    }

    /// Asks, and returns whatever is answered.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: String,
        limit: Duration,
    ) -> Result<(StatusCode, String), ReplicasError> {
        let asking = async {
            let stream = self.connect().await?;
            exchange(stream, method, path, body)
                .await
                .map_err(|error| ReplicasError::Unreachable { why: error.to_string() })
        };
        timeout(limit, asking).await.unwrap_or(Err(ReplicasError::Late { limit }))
    }
}

async fn exchange(
    stream: TcpStream,
    method: Method,
    path: &str,
    body: String,
) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
    let host = stream.peer_addr()?.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let page = Limited::new(answer.into_body(), PAGE_LIMIT).collect().await?;
        Ok((status, String::from_utf8_lossy(&page.to_bytes()).into_owned()))
    };
    // The connection is carried on here, so that it ends with whoever asks.
    tokio::select! {
        answer = answer => answer,
        Err(error) = connection => Err(error.into()),
    }
}

/// What Patroni says, short enough for a line and without anything that would break it.
fn words(status: StatusCode, page: &str) -> String {
    let words: String = page.trim().chars().take(WORDS).collect();
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{} {words}", status.as_u16())
}

fn replication(page: &str) -> Result<Replication, ReplicasError> {
    let cluster: Cluster = serde_json::from_str(page)
        .map_err(|error| ReplicasError::Garbled { why: error.to_string() })?;
    let members =
        cluster.members.into_iter().map(|Listed { name, role, state, timeline, lag }| Member {
            leads: matches!(role.as_str(), "leader" | "master" | "primary" | "standby_leader"),
            name,
            state,
            timeline,
            lag: lag.as_u64(),
        });
    Ok(Replication { members: members.collect(), paused: cluster.pause })
}

impl Replicas for Patroni {
    async fn leads(&self) -> Result<bool, ReplicasError> {
        let (status, _) = self.ask(Method::GET, "/leader", String::new(), self.ask).await?;
        Ok(status == StatusCode::OK)
    }

    async fn all(&self) -> Result<Replication, ReplicasError> {
        let (status, page) = self.ask(Method::GET, "/cluster", String::new(), self.ask).await?;
        if status == StatusCode::OK {
            replication(&page)
        } else {
            Err(ReplicasError::Refused { why: words(status, &page) })
        }
    }

    async fn pass_on(&self, from: &str, to: &NodeName) -> Result<(), ReplicasError> {
        let body = json!({ "leader": from, "candidate": to.as_str() }).to_string();
        let (status, page) = self.ask(Method::POST, "/switchover", body, PASS_LIMIT).await?;
        if status == StatusCode::OK {
            Ok(())
        } else {
            Err(ReplicasError::Refused { why: words(status, &page) })
        }
    }

    async fn copy_anew(&self) -> Result<(), ReplicasError> {
        let asked = self.ask(Method::POST, "/reinitialize", json!({}).to_string(), self.ask);
        match asked.await? {
            (StatusCode::OK, _) => Ok(()),
            (status, page) => Err(ReplicasError::Refused { why: words(status, &page) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_understood_as_versions_of_patroni_tell_it() {
        // 3.0 calls a replica that follows `running`, 3.1 and later `streaming`; a member that
        // was never seen has neither role nor state.
        let page = r#"{"members": [
            {"name": "hv1", "role": "leader", "state": "running",
             "api_url": "http://10.255.0.1:8008/patroni", "host": "10.255.0.1", "port": 5432,
             "timeline": 3},
            {"name": "hv2", "role": "replica", "state": "streaming", "timeline": 3, "lag": 0},
            {"name": "hv3", "role": "sync_standby", "state": "running", "lag": "unknown"},
            {"name": "hv4"}], "scope": "pvc", "pause": false}"#;
        let seen = replication(page).unwrap();
        let member = |name: &str, leads, state: &str, timeline, lag| Member {
            name: name.to_owned(),
            leads,
            state: state.to_owned(),
            timeline,
            lag,
        };
        let expected = [
            member("hv1", true, "running", Some(3), None),
            member("hv2", false, "streaming", Some(3), Some(0)),
            member("hv3", false, "running", None, None),
            member("hv4", false, "", None, None),
        ];
        assert_eq!(seen.members, expected);
        assert!(!seen.paused);
        let paused = replication(r#"{"members": [], "scope": "pvc", "pause": true}"#).unwrap();
        assert!(paused.paused);
        assert!(replication("<html>").is_err());
    }

    #[test]
    fn what_patroni_says_is_one_short_line() {
        let page = "a\nb".repeat(500);
        let said = words(StatusCode::SERVICE_UNAVAILABLE, &page);
        assert!(said.starts_with("503 a ba b") && said.len() < 210, "{said}");
    }
}
