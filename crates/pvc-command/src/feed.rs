//! Giving a program something to read.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::time::timeout;

/// How much of a stream is held at once. Large enough that the calls cost nothing beside the copying.
const CHUNK_BYTES: usize = 256 * 1024;

/// Writes a program's input. One that does not care to read it all has not failed for that.
pub(crate) async fn whole(pipe: Option<ChildStdin>, bytes: &[u8]) -> io::Result<()> {
    let Some(mut pipe) = pipe else {
        return Ok(());
    };
    match pipe.write_all(bytes).await {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// How the pumping of a stream into a program ended.
#[derive(Debug)]
pub(crate) enum Pumped {
    /// The program has all of it, and knows that; or it does not care.
    All,
    /// The program took nothing for too long.
    NotTaken,
    /// The program's pipe failed.
    PipeFailed(io::Error),
    /// The stream failed, or nothing came for too long. The pipe is still open.
    InputFailed(io::Error),
}

/// Pumps a stream into a program to its end, as long as it does not stand still for `limit`.
pub(crate) async fn pump(
    pipe: &mut Option<ChildStdin>,
    input: &mut (dyn AsyncRead + Send + Unpin),
    limit: Duration,
) -> Pumped {
    let Some(open) = pipe else { return Pumped::All };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = timeout(limit, input.read(&mut chunk)).await;
        let count = match read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => return Pumped::InputFailed(error),
        };
        match timeout(limit, open.write_all(&chunk[..count])).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Ok(Err(error)) => return Pumped::PipeFailed(error),
            Err(_) => return Pumped::NotTaken,
        }
    }
    *pipe = None;
    Pumped::All
}
