//! A scripted API server on the loopback interface, for tests.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::{ApiKey, Endpoint, Scheme};

/// One request as the fake received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Method and address with parameters, such as `GET /api/v1/vm?negate=False`.
    pub line: String,
    /// The value of `X-Api-Key`, if sent.
    pub key: Option<String>,
    /// The body as text.
    pub body: String,
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, VecDeque<(u16, String)>>,
    received: Vec<Received>,
    key: Option<String>,
}

/// A server that gives prepared answers and remembers what it was asked.
pub struct FakeApi {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl FakeApi {
    /// Starts a server on a free port; it lasts as long as the test's process.
    ///
    /// # Panics
    ///
    /// If the loopback interface cannot be listened on.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback can be bound");
        let address = listener.local_addr().expect("a bound socket has an address");
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away in the middle of a request is the test's affair.
                serve(&stream, &shared).ok();
            }
        });
        Self { address, script }
    }

    /// Demands this key with every request.
    pub fn demand_key(&self, key: &str) {
        self.script().key = Some(key.to_owned());
    }

    /// Prepares an answer to `line`, such as `GET /node`: method and path below the prefix,
    /// without parameters. Several answers are given in turn, the last one for ever.
    pub fn on(&self, line: &str, status: u16, body: impl ToString) {
        let mut script = self.script();
        let queue = script.answers.entry(line.to_owned()).or_default();
        queue.push_back((status, body.to_string()));
    }

    /// Everything asked so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.script().received.clone()
    }

    /// The port that it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// How to reach it with `key`.
    #[must_use]
    pub fn endpoint(&self, key: Option<&str>) -> Endpoint {
        Endpoint {
            scheme: Scheme::Http,
            host: self.address.ip().to_string(),
            port: self.address.port(),
            key: key.map(|key| ApiKey::new(key.to_owned())),
        }
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("no test panics with the script held")
    }
}

fn serve(stream: &TcpStream, script: &Mutex<Script>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let received = receive(&mut reader)?;
    let (status, body) = {
        let mut script = script.lock().expect("serving never panics");
        script.received.push(received.clone());
        answer(&mut script, &received)
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn receive(reader: &mut impl BufRead) -> std::io::Result<Received> {
    let mut received = Received { line: String::new(), key: None, body: String::new() };
    let mut first = String::new();
    reader.read_line(&mut first)?;
    received.line = first.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "x-api-key" => received.key = Some(value.to_owned()),
            _ => {}
        }
    }
    reader.take(length).read_to_string(&mut received.body)?;
    Ok(received)
}

fn answer(script: &mut Script, received: &Received) -> (u16, String) {
    if script.key.is_some() && script.key != received.key {
        let message = r#"{"message": "X-Api-Key Authentication failed."}"#;
        return (401, message.to_owned());
    }
    let path = received.line.split('?').next().unwrap_or_default();
    let line = path.replacen(crate::endpoint::PREFIX, "", 1);
    match script.answers.get_mut(&line) {
        None => (404, format!(r#"{{"message": "nothing scripted for {line}"}}"#)),
        Some(queue) if queue.len() > 1 => queue.pop_front().expect("more than one"),
        Some(queue) => queue.front().expect("never left empty").clone(),
    }
}
