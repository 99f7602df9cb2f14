//! A kept-alive connection that reads answers and throws them away: what is measured is the
//! daemon, not a client.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);
/// What is read at once.
const BUFFER: usize = 256 * 1024;

/// A connection to the API.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// What came back.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Length of the body.
    pub(crate) bytes: usize,
    /// From the first byte of the request to the last of the answer.
    pub(crate) time: Duration,
}

/// How the length of a body is told.
enum Body {
    Length(usize),
    Chunked,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok(Self { stream: BufReader::with_capacity(BUFFER, stream) })
    }

    /// Sends `GET` and reads the whole answer.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
        let began = Instant::now();
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.context("not an HTTP answer")?;
        let bytes = match self.headers()? {
            Body::Length(length) => {
                self.skip(length)?;
                length
            }
            Body::Chunked => self.chunks()?,
        };
        Ok(Answer { status, bytes, time: began.elapsed() })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? > 0, "the API closed the connection");
        Ok(line.trim_end().to_owned())
    }

    fn headers(&mut self) -> Result<Body> {
        let mut body = Body::Length(0);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", length)) => body = Body::Length(length.parse()?),
                Some(("transfer-encoding", "chunked")) => body = Body::Chunked,
                Some(_) => {}
                None if line.is_empty() => return Ok(body),
                None => bail!("not an HTTP header: {line}"),
            }
        }
    }

    fn chunks(&mut self) -> Result<usize> {
        let mut total = 0;
        loop {
            let length = usize::from_str_radix(&self.line()?, 16)?;
            self.skip(length + "\r\n".len())?;
            if length == 0 {
                return Ok(total);
            }
            total += length;
        }
    }

    fn skip(&mut self, mut length: usize) -> Result<()> {
        while length > 0 {
            let ready = self.stream.fill_buf()?.len().min(length);
            ensure!(ready > 0, "the API closed the connection in the middle of an answer");
            self.stream.consume(ready);
            length -= ready;
        }
        Ok(())
    }
}
