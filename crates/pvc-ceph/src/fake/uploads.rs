//! Files that are received and written into volumes, in memory.
//!
//! Of formats it understands a head of 512 bytes that has the magic and the size where the real
//! ones have them, with the disk after it: see [`FakeCeph::file`].

use pvc_common::id::VolumeId;
use pvc_common::unit::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Cluster, FakeCeph};
use crate::{CephError, ImageFormat, Received, Uploads};

/// The part of a file before the disk.
const HEAD: usize = 512;

/// Where in the head the name of another file stands.
const BASE: usize = 128;

/// What a VMDK measures in.
const SECTOR: u64 = 512;

impl FakeCeph {
    /// A file of a format, as this cluster understands it: raw, qcow2 and VMDK.
    ///
    /// # Panics
    /// If it does not understand that format.
    #[must_use]
    pub fn file(format: ImageFormat, disk: &[u8]) -> Vec<u8> {
        let size = u64::try_from(disk.len()).expect("it fits into memory");
        let mut head = vec![0; HEAD];
        match format {
            ImageFormat::Raw => head.clear(),
            ImageFormat::Qcow2 => {
                head[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
                head[24..32].copy_from_slice(&size.to_be_bytes());
            }
            ImageFormat::Vmdk => {
                head[..8].copy_from_slice(b"KDMV\x01\0\0\0");
                head[12..20].copy_from_slice(&(size / SECTOR).to_le_bytes());
            }
            ImageFormat::Qed | ImageFormat::Vdi | ImageFormat::Vpc => panic!("what is {format}?"),
        }
        [&head, disk].concat()
    }

    /// A qcow2 file that holds what differs from another file.
    ///
    /// # Panics
    /// If the name of that is too long for it.
    #[must_use]
    pub fn file_that_refers_to(base: &str) -> Vec<u8> {
        let mut file = Self::file(ImageFormat::Qcow2, &[]);
        let length = u32::try_from(base.len()).expect("names are short");
        file[8..16].copy_from_slice(&(BASE as u64).to_be_bytes());
        file[16..20].copy_from_slice(&length.to_be_bytes());
        file[BASE..BASE + base.len()].copy_from_slice(base.as_bytes());
        file
    }

    /// What a volume holds, as far as it was ever written from a file.
    #[must_use]
    pub fn content(&self, volume: &VolumeId) -> Vec<u8> {
        self.cluster().images.get(volume).map(|image| image.content.clone()).unwrap_or_default()
    }

    /// Whether a file is there that was received for a volume.
    #[must_use]
    pub fn has_received(&self, volume: &VolumeId) -> bool {
        self.cluster().received.contains_key(volume)
    }
}

impl Cluster {
    fn file(
        &self,
        volume: &VolumeId,
        format: ImageFormat,
    ) -> Result<(Received, Vec<u8>), CephError> {
        let none = || CephError::Refused {
            command: "qemu-img info".to_owned(),
            why: format!("Image is not in {format} format"),
        };
        let file = self.received.get(volume).ok_or_else(none)?;
        let number = |at: usize| -> Result<[u8; 8], CephError> {
            let bytes = file.get(at..at + 8).ok_or_else(none)?;
            Ok(bytes.try_into().expect("they are eight"))
        };
        let (size, start) = match format {
            ImageFormat::Raw => {
                let length = u64::try_from(file.len()).expect("it is in memory");
                (length.next_multiple_of(SECTOR), 0)
            }
            ImageFormat::Qcow2 if file.starts_with(b"QFI\xfb") => {
                (u64::from_be_bytes(number(24)?), HEAD)
            }
            ImageFormat::Vmdk if file.starts_with(b"KDMV") => {
                (u64::from_le_bytes(number(12)?) * SECTOR, HEAD)
            }
            _ => return Err(none()),
        };
        let has_base = format == ImageFormat::Qcow2 && number(8)? == (BASE as u64).to_be_bytes();
        let name = file.get(BASE..HEAD).unwrap_or_default();
        let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
        let refers_to = has_base.then_some(name).into_iter().collect();
        let disk = file.get(start..).ok_or_else(none)?.to_vec();
        Ok((Received { size: Bytes(size), refers_to, encrypted: false }, disk))
    }
}

impl Uploads for FakeCeph {
    async fn receive(
        &self,
        volume: &VolumeId,
        file: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<(), CephError> {
        self.ask("rbd info", |cluster| cluster.image(volume)?.unused(volume)).await?;
        self.discard(volume).await?;
        let mut content = Vec::new();
        let read = file.read_to_end(&mut content).await;
        let received = self.ask("rbd import", |cluster| {
            cluster.image(volume)?;
            cluster.received.insert(volume.clone(), content);
            Ok(())
        });
        let received = received.await;
        // What was read is there all the same.
        read.map_err(|source| CephError::Input { source })?;
        received
    }

    async fn received(
        &self,
        volume: &VolumeId,
        format: ImageFormat,
    ) -> Result<Received, CephError> {
        self.ask("qemu-img info", |cluster| Ok(cluster.file(volume, format)?.0)).await
    }

    async fn fill(&self, volume: &VolumeId, format: ImageFormat) -> Result<(), CephError> {
        self.ask("qemu-img convert", |cluster| {
            let (_, disk) = cluster.file(volume, format)?;
            let image = cluster.image(volume)?;
            image.unused(volume)?;
            let kept = image.content.len().max(disk.len());
            image.content.resize(kept, 0);
            image.content[..disk.len()].copy_from_slice(&disk);
            Ok(())
        })
        .await
    }

    async fn discard(&self, volume: &VolumeId) -> Result<(), CephError> {
        self.ask("rbd rm", |cluster| {
            cluster.received.remove(volume);
            Ok(())
        })
        .await
    }
}
