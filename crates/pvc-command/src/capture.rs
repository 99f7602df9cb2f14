//! Reading a pipe without trusting what comes out of it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// What came out of a pipe.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Captured {
    /// All of it.
    Whole(Vec<u8>),
    /// There was more than allowed.
    TooMuch,
}

/// Reads to the end, but holds no more than `limit_bytes`.
pub(crate) async fn whole(
    mut pipe: impl AsyncRead + Unpin,
    limit_bytes: usize,
) -> io::Result<Captured> {
    let mut held = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = pipe.read(&mut chunk).await?;
        if count == 0 {
            return Ok(Captured::Whole(held));
        }
        if held.len() + count > limit_bytes {
            return Ok(Captured::TooMuch);
        }
        held.extend_from_slice(&chunk[..count]);
    }
}

/// Reads to the end and holds the last `limit_bytes`: an error is explained in its last lines.
pub(crate) async fn tail(
    mut pipe: impl AsyncRead + Unpin,
    limit_bytes: usize,
) -> io::Result<Vec<u8>> {
    let mut held = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = pipe.read(&mut chunk).await?;
        if count == 0 {
            return Ok(held);
        }
        held.extend_from_slice(&chunk[..count]);
        let excess = held.len().saturating_sub(limit_bytes);
        held.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_up_to_the_limit_is_kept_whole() {
        let seen = whole(&b"four"[..], 4).await.unwrap();
        assert_eq!(seen, Captured::Whole(b"four".to_vec()));
    }

    #[tokio::test]
    async fn output_past_the_limit_is_refused_rather_than_cut() {
        assert_eq!(whole(&b"fives"[..], 4).await.unwrap(), Captured::TooMuch);
    }

    #[tokio::test]
    async fn of_an_error_text_the_end_is_kept() {
        assert_eq!(tail(&b"noise: cause"[..], 5).await.unwrap(), b"cause");
    }
}
