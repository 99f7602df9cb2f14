//! `pvc vm volume add` and `remove`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use pvc_client::call;
use pvc_common::api;
use pvc_common::id::VolumeId;
use pvc_domxml::edit::{self, NewDisk};

use super::effect::{Effect, Plug, refusal};
use super::find;
use crate::failure::{Failure, Outcome};
use crate::options::word;
use crate::session::Session;
use crate::shell::Shell;

/// Give a VM a volume as a disk.
///
/// The disk is made like the last one of its type that the VM has.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// The volume as POOL/NAME, or the path of a file.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    volume: String,
    /// Name of the disk in the guest, such as sdb; the next free one by default.
    #[arg(short, long, value_name = "ID")]
    disk_id: Option<String>,
    /// Bus that the disk is on.
    #[arg(short, long, value_enum, default_value = "scsi")]
    bus: Bus,
    /// What the volume is.
    #[arg(short = 't', long = "type", value_name = "TYPE", value_enum, default_value = "rbd")]
    kind: Kind,
    #[command(flatten)]
    effect: Effect,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bus {
    Scsi,
    Ide,
    Usb,
    Virtio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A volume of a storage pool.
    Rbd,
    /// A file on the node.
    File,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = match self.kind {
            Kind::Rbd => self.connect_if_there_is_the_volume(shell).await?,
            Kind::File => shell.connect()?,
        };
        let vm = find(&session, &self.vm).await?;
        let new = NewDisk {
            kind: &word(self.kind),
            name: &self.volume,
            dev: self.disk_id.as_deref(),
            bus: &word(self.bus),
        };
        let change = edit::add_disk(&vm.xml, &new).map_err(|error| refusal(&vm, &error))?;
        let plug = Plug::In(change.disk);
        self.effect.apply(shell, &session, &vm, change.xml, plug).await
    }

    async fn connect_if_there_is_the_volume(&self, shell: &Shell) -> Result<Session, Failure> {
        let id: VolumeId = self.volume.parse().map_err(|error| {
            Failure::usage(format!("{error}.")).hint("`--type file` takes the path of a file.")
        })?;
        let session = shell.connect()?;
        let request = call::storage::volume::info(id.pool.as_str(), id.volume.as_str());
        session.one::<api::Volume>(&request, "Storage volume", &self.volume).await?;
        Ok(session)
    }
}

/// Take a volume from a VM; the volume itself stays.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// The volume as POOL/NAME, or the path of a file.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    volume: String,
    #[command(flatten)]
    effect: Effect,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        // Whether there is such a volume is not asked: one that is lost must be removable.
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        let change =
            edit::remove_disk(&vm.xml, &self.volume).map_err(|error| refusal(&vm, &error))?;
        let plug = Plug::Out(change.disk);
        self.effect.apply(shell, &session, &vm, change.xml, plug).await
    }
}
