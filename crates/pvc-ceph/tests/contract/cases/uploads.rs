//! Filling volumes from files.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use pvc_ceph::{CephError, ImageFormat, Uploads, Volumes};
use pvc_common::id::VolumeId;
use pvc_common::unit::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use crate::site::Site;

const MIB: usize = 1 << 20;

/// What every implementation understands.
const FORMATS: [ImageFormat; 3] = [ImageFormat::Raw, ImageFormat::Qcow2, ImageFormat::Vmdk];

async fn volume(site: &impl Site, name: &str) -> VolumeId {
    let volume: VolumeId = format!("vms/{name}").parse().unwrap();
    site.port().create_volume(&volume, Bytes(8 << 20)).await.unwrap();
    volume
}

/// A disk that holds something in its first and last sectors and nothing between.
fn disk(mark: u8) -> Vec<u8> {
    let mut disk = vec![0; 5 * MIB];
    disk[..512].fill(mark);
    disk[5 * MIB - 512..].fill(mark);
    disk
}

/// Whether what is beside a volume is gone: it would be listed if its name were not special.
async fn has_nothing_beside(site: &impl Site, volume: &VolumeId) -> bool {
    let received = site.port().received(volume, ImageFormat::Raw).await;
    matches!(received, Err(CephError::Refused { .. }))
}

pub(crate) async fn a_file_of_any_format_is_written_into_a_volume(site: &impl Site) {
    for (format, mark) in FORMATS.into_iter().zip(1..) {
        let volume = volume(site, &format!("filled-{format}")).await;
        let (port, disk) = (site.port(), disk(mark));
        let file = site.file(format, &disk).await;
        // The second time what the first has left is replaced.
        for _ in 0..2 {
            port.receive(&volume, &mut file.as_slice()).await.unwrap();
        }
        let received = port.received(&volume, format).await.unwrap();
        assert_eq!(received.size, Bytes(5 << 20), "{format}");
        assert!(received.refers_to.is_empty() && !received.encrypted, "{received:?}");
        assert_eq!(site.content(&volume, 5 * MIB).await, vec![0; 5 * MIB], "touched too early");
        port.fill(&volume, format).await.unwrap();
        assert!(site.content(&volume, 5 * MIB).await == disk, "{format}: it holds something else");
        assert_eq!(port.volume(&volume).await.unwrap().size, Bytes(8 << 20));
        for _ in 0..2 {
            port.discard(&volume).await.unwrap();
        }
        assert!(has_nothing_beside(site, &volume).await);
    }
}

/// A file that breaks off after a part.
struct Broken(tokio::io::Take<tokio::io::Repeat>);

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.limit() == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

pub(crate) async fn a_file_that_breaks_off_leaves_the_volume_as_it_was(site: &impl Site) {
    let volume = volume(site, "unbroken").await;
    let mut broken = Broken(tokio::io::repeat(9).take(3 << 20));
    let answer = site.port().receive(&volume, &mut broken).await;
    let Err(CephError::Input { source }) = &answer else { panic!("{answer:?}") };
    assert_eq!(source.kind(), io::ErrorKind::ConnectionReset);
    site.port().discard(&volume).await.unwrap();
    assert!(has_nothing_beside(site, &volume).await);
    assert_eq!(site.content(&volume, MIB).await, vec![0; MIB]);
}

pub(crate) async fn a_file_that_is_of_another_format_or_refers_to_others_is_told(site: &impl Site) {
    let volume = volume(site, "unlike").await;
    let file = site.file(ImageFormat::Qcow2, &disk(7)).await;
    site.port().receive(&volume, &mut file.as_slice()).await.unwrap();
    let names = site.port().volumes(&volume.pool).await.unwrap();
    assert!(!names.iter().any(|name| name.as_str().contains("unfinished")), "{names:?}");
    for other in [ImageFormat::Vmdk, ImageFormat::Qed, ImageFormat::Vdi, ImageFormat::Vpc] {
        let answer = site.port().received(&volume, other).await;
        assert!(matches!(answer, Err(CephError::Refused { .. })), "{other}: {answer:?}");
    }
    let part = site.file_that_refers_to("/etc/hostname").await;
    site.port().receive(&volume, &mut part.as_slice()).await.unwrap();
    let received = site.port().received(&volume, ImageFormat::Qcow2).await.unwrap();
    assert_eq!(received.refers_to, ["/etc/hostname"]);
    // What a daemon that ended has left goes with the volume.
    site.port().remove_volume(&volume).await.unwrap();
    assert!(has_nothing_beside(site, &volume).await);
}

pub(crate) async fn no_file_is_received_for_a_volume_that_is_open(site: &impl Site) {
    let volume: VolumeId = "vms/received-open".parse().unwrap();
    site.create_image(&volume).await;
    assert!(site.writer(&volume, site.address(8)).await);
    let file = site.file(ImageFormat::Raw, &disk(3)).await;
    let answer = site.port().receive(&volume, &mut file.as_slice()).await;
    assert!(matches!(answer, Err(CephError::InUse { .. })), "{answer:?}");
    assert!(has_nothing_beside(site, &volume).await);
    let none = "vms/nowhere".parse().unwrap();
    let answer = site.port().receive(&none, &mut file.as_slice()).await;
    assert!(matches!(answer, Err(CephError::NoImage { .. })), "{answer:?}");
}
