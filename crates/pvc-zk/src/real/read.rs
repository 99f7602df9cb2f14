//! Reads: many znodes in few requests, several requests under way at a time.
//!
//! Reading twice does no harm, so a read that meets a broken connection waits for the next one
//! and goes on where it was.

use std::collections::VecDeque;
use std::time::Duration;

use pvc_common::zk::Version;
use tokio::time::{Instant, timeout_at};
use zookeeper_client::{Client, Error, MultiReadResult, MultiReader};

use super::link::{Closed, Connection, Links, connection};
use super::write::is_transient;
use crate::error::TreeError;
use crate::path::fault;
use crate::tree::Entry;

/// Znodes of one request: enough that round trips do not count, few enough that the server's
/// other clients are not kept waiting.
const CHUNK: usize = 250;
/// Requests under way at a time: the server is never idle while we decode.
const WINDOW: usize = 8;

/// Something that can be asked of many znodes at once.
pub(super) trait Ask: Sized {
    /// Adds the question to a request.
    fn ask(reader: &mut MultiReader<'_>, path: &str) -> Result<(), Error>;
    /// The answer; `None` if it is not one to this question.
    fn answer(result: MultiReadResult) -> Option<Self>;
}

impl Ask for Entry {
    fn ask(reader: &mut MultiReader<'_>, path: &str) -> Result<(), Error> {
        reader.add_get_data(path)
    }

    fn answer(result: MultiReadResult) -> Option<Self> {
        let MultiReadResult::Data { data, stat } = result else {
            return None;
        };
        Some(Self {
            data,
            version: Version(stat.version),
            children: u32::try_from(stat.num_children).unwrap_or(0),
            ephemeral: stat.ephemeral_owner != 0,
        })
    }
}

impl Ask for Vec<String> {
    fn ask(reader: &mut MultiReader<'_>, path: &str) -> Result<(), Error> {
        reader.add_get_children(path)
    }

    fn answer(result: MultiReadResult) -> Option<Self> {
        let MultiReadResult::Children { mut children } = result else {
            return None;
        };
        children.sort_unstable();
        Some(children)
    }
}

/// Why a request came to nothing.
enum Failure {
    /// The connection broke: the next one may do better.
    Broken,
    /// No answer in time.
    Late,
    /// It will never be answered.
    Refused { path: String, why: String },
}

/// Answers one question about each of `paths`, in order; `None` where there is no such znode.
pub(super) async fn read<A: Ask>(
    links: &Links,
    limit: Duration,
    paths: &[String],
) -> Result<Vec<Option<A>>, TreeError> {
    for path in paths {
        if let Some(why) = fault(path) {
            return Err(refused(path, why));
        }
    }
    let mut links = links.clone();
    let mut reading = Reading {
        paths,
        found: Vec::with_capacity(paths.len()),
        limit,
        deadline: Instant::now() + limit,
    };
    let mut last = 0;
    while let Some(next) = reading.next_path() {
        let no_answer = || TreeError::NoAnswer { path: next.clone(), waited: limit };
        let Connection { client, number, .. } =
            match timeout_at(reading.deadline, connection(&mut links, last)).await {
                Ok(Ok(connection)) => connection,
                Ok(Err(Closed)) => return Err(refused(next, "this process closed its session")),
                Err(_) => return Err(no_answer()),
            };
        last = number;
        match reading.through(&client).await {
            Ok(()) | Err(Failure::Broken) => {}
            Err(Failure::Late) => return Err(no_answer()),
            Err(Failure::Refused { path, why }) => return Err(TreeError::Refused { path, why }),
        }
    }
    Ok(reading.found)
}

fn refused(path: &str, why: &str) -> TreeError {
    TreeError::Refused { path: path.to_owned(), why: why.to_owned() }
}

struct Reading<'a, A> {
    paths: &'a [String],
    found: Vec<Option<A>>,
    limit: Duration,
    deadline: Instant,
}

impl<'a, A: Ask> Reading<'a, A> {
    fn next_path(&self) -> Option<&'a String> {
        self.paths.get(self.found.len())
    }

    /// Reads what is left, through one connection. Each answer extends the deadline.
    async fn through(&mut self, client: &Client) -> Result<(), Failure> {
        let mut unasked = self.paths[self.found.len()..].chunks(CHUNK);
        let mut under_way = VecDeque::with_capacity(WINDOW);
        loop {
            while under_way.len() < WINDOW
                && let Some(chunk) = unasked.next()
            {
                let mut reader = client.new_multi_reader();
                for path in chunk {
                    A::ask(&mut reader, path).map_err(|error| failure(path, &error))?;
                }
                // The request is on its way before its future is polled.
                under_way.push_back((chunk, reader.commit()));
            }
            let Some((chunk, answer)) = under_way.pop_front() else {
                return Ok(());
            };
            let Some(first) = chunk.first() else {
                return Ok(());
            };
            let results = timeout_at(self.deadline, answer)
                .await
                .map_err(|_| Failure::Late)?
                .map_err(|error| failure(first, &error))?;
            self.take(chunk, results)?;
            self.deadline = Instant::now() + self.limit;
        }
    }

    fn take(&mut self, chunk: &[String], results: Vec<MultiReadResult>) -> Result<(), Failure> {
        if results.len() != chunk.len() {
            return Err(Failure::Refused {
                path: chunk.first().cloned().unwrap_or_default(),
                why: format!("{} answers to {} questions", results.len(), chunk.len()),
            });
        }
        for (path, result) in chunk.iter().zip(results) {
            let answer = match result {
                MultiReadResult::Error { err: Error::NoNode } => None,
                MultiReadResult::Error { err } => return Err(failure(path, &err)),
                data => Some(A::answer(data).ok_or_else(|| Failure::Refused {
                    path: path.clone(),
                    why: "an answer to another question".to_owned(),
                })?),
            };
            self.found.push(answer);
        }
        Ok(())
    }
}

fn failure(path: &str, error: &Error) -> Failure {
    if is_transient(error) {
        Failure::Broken
    } else {
        Failure::Refused { path: path.to_owned(), why: error.to_string() }
    }
}
