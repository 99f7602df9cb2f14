//! `pvc storage volume upload`.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use pvc_client::call;
use pvc_common::api::Volume;

use super::place::Place;
use crate::failure::{Failure, Outcome};
use crate::options::word;
use crate::out::Out;
use crate::shell::Shell;
use crate::show::bytes;
use crate::wait::{Progress, bar};

/// Fill a volume with an image.
///
/// The volume must exist and be large enough for what the image holds.
#[derive(Debug, Args)]
pub(crate) struct Upload {
    #[command(flatten)]
    place: Place,
    /// File or block device with the image.
    image_file: PathBuf,
    /// Format of the image.
    #[arg(short, long, value_enum, default_value = "raw")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Raw,
    Vmdk,
    Qcow2,
    Qed,
    Vdi,
    Vpc,
}

impl Upload {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let (file, length) = open(&self.image_file)?;
        let session = shell.connect()?;
        let Place { pool, name } = &self.place;
        // Asked first: a server that refuses breaks the connection off in the middle of the
        // file, and what it says may be lost.
        let volume = call::storage::volume::info(pool, name);
        session.one::<Volume>(&volume, "Storage volume", &self.place.to_string()).await?;
        let request = call::storage::volume::upload(pool, name, &word(self.format), length);
        let upload = pvc_client::Upload {
            file: file.into(),
            name: self.image_file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            length,
        };
        shell.out.note(&format!("Uploading file (total size {})...", bytes(length)));
        let mut meter = Meter::new(shell.out, length);
        let answer = session.client.upload(&request, upload, move |sent| meter.show(sent)).await;
        shell.out.redraw("");
        shell.out.data(&answer?.message()?)
    }
}

/// Opens a file and tells its size.
fn open(path: &Path) -> Result<(File, u64), Failure> {
    let opened = File::open(path).and_then(|mut file| {
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // The size of a block device is not in its metadata.
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok((file, length))
    });
    match opened {
        Ok((_, 0)) => Err(Failure::new(format!("There is nothing in {}.", path.display()))),
        Ok(opened) => Ok(opened),
        Err(error) => {
            Err(Failure::new(format!("Failed to read the image {}: {error}", path.display())))
        }
    }
}

/// Shows how much has been sent, in steps that a person can follow.
struct Meter {
    progress: Progress,
    begun: Instant,
    length: u64,
    /// Percent from one showing to the next: fewer where every one is a line.
    step: u64,
    shown: Option<u64>,
}

impl Meter {
    fn new(out: Out, length: u64) -> Self {
        let step = if out.is_live() { 1 } else { 10 };
        Self { progress: Progress::new(out), begun: Instant::now(), length, step, shown: None }
    }

    fn show(&mut self, sent: u64) {
        let percent = percent(sent, self.length);
        let reached = percent - percent % self.step;
        if self.shown == Some(reached) {
            return;
        }
        self.shown = Some(reached);
        let doing = if reached == 100 { "storing the image" } else { "sending" };
        self.progress.show(&format!("{}  {doing}", bar(reached, 100)), self.begun.elapsed());
    }
}

fn percent(sent: u64, length: u64) -> u64 {
    let percent = u128::from(sent) * 100 / u128::from(length.max(1));
    u64::try_from(percent).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_of_any_size_is_told_in_percent() {
        assert_eq!(percent(0, 7), 0);
        assert_eq!(percent(1, 3), 33);
        assert_eq!(percent(u64::MAX - 1, u64::MAX), 99);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
