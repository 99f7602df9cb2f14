//! What the client asks of the API while the primary changes: this program once more, started
//! where the client stands, so that no other program's start is measured.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Args;
use pvc_e2e::lab::{Program, until_every};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Before the API is asked again.
const PACE: Duration = Duration::from_millis(5);
/// How long a connection may take: what is lost while the address moves is not worth a wait.
const CONNECT: Duration = Duration::from_millis(50);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_millis(500);
/// How long the whole may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What to find out.
#[derive(Args)]
pub(crate) struct Probe {
    /// Make this node primary, and wait until the API says that it is.
    #[arg(long)]
    to: Option<String>,
}

/// What was found out.
#[derive(Serialize, Deserialize)]
pub(super) struct Found {
    /// From the command to the answer.
    pub(super) took_us: u64,
    /// When the answer came, in UNIX milliseconds by this machine's clock.
    pub(super) answered_ms: u64,
}

/// The API's place, as the client's store has it.
struct Api {
    address: SocketAddr,
    key: String,
}

/// Makes `to` primary; returns how long that took.
pub(super) fn switch(program: &Program, to: &str) -> Result<Duration> {
    Ok(Duration::from_micros(send(program, &["--to", to])?.took_us))
}

/// Waits until the API answers.
pub(super) fn answer(program: &Program) -> Result<Found> {
    send(program, &[])
}

fn send(program: &Program, options: &[&str]) -> Result<Found> {
    let ourselves = std::env::current_exe()?;
    let ourselves = ourselves.to_str().context("this program's path is no text")?;
    let words: Vec<&str> = ["client", ourselves, "_probe"].iter().chain(options).copied().collect();
    let out = program.run(LIMIT + ANSWER, &words)?.ok()?;
    serde_json::from_str(&out).with_context(|| format!("not understood: {out}"))
}

/// Asks, where the client stands, and prints what was found out.
#[expect(clippy::print_stdout, reason = "the answer of a program to its parent")]
pub(crate) fn run(probe: &Probe) -> Result<()> {
    let api = Api::of_the_store()?;
    let began = Instant::now();
    let path = match &probe.to {
        None => "/api/v1/node".to_owned(),
        Some(node) => {
            let order = format!("/api/v1/node/{node}/coordinator-state?state=primary");
            let (status, body) = api.ask("POST", &order)?.context("no API answered the command")?;
            ensure!(status == 200, "{order} is answered with {status}: {body}");
            format!("/api/v1/node/{node}")
        }
    };
    let reached = |(status, body): &(u16, String)| {
        *status == 200 && probe.to.as_ref().is_none_or(|_| is_primary(body))
    };
    until_every(PACE, "the API to say so", LIMIT, || match api.ask("GET", &path) {
        Ok(Some(answer)) if reached(&answer) => Ok(()),
        Ok(answer) => Err(format!("{answer:?}")),
        Err(error) => Err(format!("{error:#}")),
    });
    let found = Found {
        took_us: u64::try_from(began.elapsed().as_micros())?,
        answered_ms: u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?,
    };
    println!("{}", serde_json::to_string(&found)?);
    Ok(())
}

fn is_primary(body: &str) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return false };
    let node = body.get(0).unwrap_or(&body);
    node["coordinator_state"] == "primary"
}

impl Api {
    fn of_the_store() -> Result<Self> {
        let dir = std::env::var("PVC_CLIENT_DIR").context("the client has no store")?;
        let store = std::fs::read_to_string(format!("{dir}/pvc.json"))?;
        let store: Value = serde_json::from_str(&store)?;
        let name = std::env::var("PVC_CONNECTION").context("the client has no connection")?;
        let (host, port) = (&store[&name]["host"], &store[&name]["port"]);
        let address = format!("{}:{port}", host.as_str().context("no host in the store")?);
        let key = store[&name]["api_key"].as_str().unwrap_or_default().to_owned();
        Ok(Self { address: address.parse()?, key })
    }

    /// Asks once on a connection of its own; `None` if nobody answered.
    fn ask(&self, method: &str, path: &str) -> Result<Option<(u16, String)>> {
        match self.exchange(method, path) {
            Ok(answer) => Ok(parse(&answer)),
            Err(error) if passes(error.kind()) => Ok(None),
            Err(error) => Err(error).context("cannot talk to the API"),
        }
    }

    fn exchange(&self, method: &str, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let key = &self.key;
        // By the old version the answer ends with the connection, and is not chunked.
        let request = format!("{method} {path} HTTP/1.0\r\nX-Api-Key: {key}\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// What happens to whoever asks while the address moves.
fn passes(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::UnexpectedEof
    )
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parse(answer), Some((200, "{}".to_owned())));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_node_is_primary_when_it_says_so_itself() {
        assert!(is_primary(r#"[{"coordinator_state": "primary"}]"#));
        assert!(is_primary(r#"{"coordinator_state": "primary"}"#));
        assert!(!is_primary(r#"[{"coordinator_state": "takeover"}]"#) && !is_primary(""));
    }
}
