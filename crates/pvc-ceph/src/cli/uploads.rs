//! Filling volumes, by `rbd import` and `qemu-img`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pvc_command::Command;
use pvc_common::id::VolumeId;
use tokio::io::{AsyncRead, ReadBuf};

use super::volumes::{COPIES, UNFINISHED};
use super::{CephCli, Subject, failure, unreadable};
use crate::{CephError, ImageFormat, Received, Uploads, Volumes, parse};

/// How long a storage cluster may take nothing of a file. The sender's patience is shorter, so
/// that it is known who stood still.
const STANDSTILL: Duration = Duration::from_secs(120);

/// A file up to where it breaks off. Of a program that is killed Ceph believes for half a minute
/// that it has its image open; so it is told of the end rather, and what it made is removed.
struct UpToBreak<'a> {
    file: &'a mut (dyn AsyncRead + Send + Unpin),
    broken: Option<io::Error>,
}

impl AsyncRead for UpToBreak<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.broken.is_some() {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut *self.file).poll_read(context, buffer) {
            Poll::Ready(Err(error)) => {
                self.broken = Some(error);
                Poll::Ready(Ok(()))
            }
            read => read,
        }
    }
}

impl CephCli {
    /// How `qemu-img` names an image of a pool. Not as a URI, in which names would have a meaning.
    fn options(&self, format: ImageFormat, volume: &VolumeId, image: &str) -> String {
        let plain = |text: &str| text.replace(',', ",,");
        let (pool, image) = (plain(volume.pool.as_str()), plain(image));
        let options =
            format!("driver={format},file.driver=rbd,file.pool={pool},file.image={image}");
        match &self.conf {
            Some(conf) => format!("{options},file.conf={}", plain(&conf.display().to_string())),
            None => options,
        }
    }

    async fn qemu_img(&self, words: &[&str], limit: Duration) -> Result<String, CephError> {
        let done = Command::new(&self.qemu_img, limit).args(words).run().await;
        let done =
            done.map_err(|error| failure("qemu-img", format!("qemu-img {}", words[0]), error));
        Ok(done?.stdout)
    }
}

/// A refusal without how an image was called: `qemu-img: Could not open '...': why`.
fn without_options(error: CephError) -> CephError {
    match error {
        CephError::Refused { command, why } => {
            let reason =
                why.rsplit_once("': ").map_or(why.as_str(), |(_, reason)| reason).to_owned();
            CephError::Refused { command, why: reason }
        }
        error => error,
    }
}

/// The image that a volume's file is received in.
fn beside(volume: &VolumeId) -> String {
    format!("{UNFINISHED}{}", volume.volume)
}

impl Uploads for CephCli {
    async fn receive(
        &self,
        volume: &VolumeId,
        file: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<(), CephError> {
        if self.is_open(volume).await? {
            return Err(CephError::InUse { what: volume.to_string() });
        }
        self.discard(volume).await?;
        let image = format!("{}/{}", volume.pool, beside(volume));
        let words = ["import", "--no-progress", "-", &image];
        let mut file = UpToBreak { file, broken: None };
        let done = self.command(&self.rbd, &words, STANDSTILL).run_on(&mut file).await;
        if let Some(source) = file.broken {
            return Err(CephError::Input { source });
        }
        match done.map_err(|error| failure("rbd", format!("rbd {}", words.join(" ")), error)) {
            Err(CephError::Refused { command, why }) => {
                Err(Subject::Volume(volume).refused(command, why))
            }
            done => done.map(drop),
        }
    }

    async fn received(
        &self,
        volume: &VolumeId,
        format: ImageFormat,
    ) -> Result<Received, CephError> {
        let options = self.options(format, volume, &beside(volume));
        let words = ["info", "--output", "json", "--image-opts", &options];
        let info = self.qemu_img(&words, self.limit).await.map_err(without_options)?;
        parse::received(&info).ok_or_else(|| unreadable("qemu-img info"))
    }

    async fn fill(&self, volume: &VolumeId, format: ImageFormat) -> Result<(), CephError> {
        let size = self.volume(volume).await?.size;
        if self.is_open(volume).await? {
            return Err(CephError::InUse { what: volume.to_string() });
        }
        let from = self.options(format, volume, &beside(volume));
        let to = self.options(ImageFormat::Raw, volume, volume.volume.as_str());
        let words = ["convert", "-n", "--image-opts", "--target-image-opts", &from, &to];
        let done = self.qemu_img(&words, self.limit_for(size, COPIES)).await;
        done.map(drop).map_err(without_options)
    }

    async fn discard(&self, volume: &VolumeId) -> Result<(), CephError> {
        self.remove_unfinished(volume).await
    }
}
