//! Sends a file without ever holding all of it.

use std::io;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::{Answer, Client, ClientError, Request};

/// How much of a file is in memory at once. Large enough that reading costs nothing beside
/// sending, small enough that progress is smooth on a slow line.
const CHUNK: usize = 1 << 20;

/// A file to send.
#[derive(Debug)]
pub struct Upload {
    /// The file, to be read from where it stands.
    pub file: File,
    /// Its name, for the server's log.
    pub name: String,
    /// How many bytes of it to send.
    pub length: u64,
}

impl Client {
    /// Sends a request with a file in the multipart field `file`, once. `sent` is told again
    /// and again how many bytes have gone.
    ///
    /// # Errors
    ///
    /// As [`Client::send`]. A file that cannot be read breaks the connection off.
    pub async fn upload(
        &self,
        request: &Request,
        upload: Upload,
        sent: impl FnMut(u64) + Send + 'static,
    ) -> Result<Answer, ClientError> {
        let Upload { file, name, length } = upload;
        let body = Body::wrap_stream(chunks(file, length, sent));
        let part = Part::stream_with_length(body, length).file_name(name);
        let form = Form::new().part("file", part);
        self.exchange(request, self.build(request).multipart(form), 1).await
    }
}

fn chunks(
    file: File,
    length: u64,
    sent: impl FnMut(u64) + Send + 'static,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    try_unfold((file.take(length), sent), move |(mut rest, mut sent)| async move {
        let mut chunk = vec![0; CHUNK];
        let read = rest.read(&mut chunk).await?;
        if read == 0 && rest.limit() > 0 {
            return Err(io::Error::other("the file became shorter while it was sent"));
        }
        chunk.truncate(read);
        sent(length - rest.limit());
        Ok((read > 0).then_some((chunk, (rest, sent))))
    })
}
