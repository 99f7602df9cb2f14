//! `pvc storage osd add`.

use clap::Args;
use pvc_client::call;
use pvc_client::call::storage::osd::NewOsd;

use super::ext_db::ExtDbOptions;
use crate::failure::Outcome;
use crate::options::{Consent, TaskWait};
use crate::shell::Shell;
use crate::storage::parse;
use crate::wait;

/// Make an OSD of a device.
///
/// A device that is not blank is refused.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Node that has the device.
    node: String,
    /// Block device, or detect:NAME:SIZE:NUMBER.
    device: String,
    /// Weight of the OSD in the placement of data.
    #[arg(short, long, default_value = "1.0", value_parser = parse::weight)]
    weight: String,
    #[command(flatten)]
    ext_db: ExtDbOptions,
    /// Number of OSDs to make on the device; one by default.
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    osd_count: Option<u32>,
    #[command(flatten)]
    wait: TaskWait,
    #[command(flatten)]
    consent: Consent,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Make an OSD of \"{}\" on node \"{}\"", self.device, self.node);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let osd = NewOsd {
            node: self.node,
            device: self.device,
            weight: self.weight,
            ext_db: self.ext_db.choice(),
            count: self.osd_count,
        };
        let request = call::storage::osd::add(&osd, &agreed);
        wait::task(&session, &request, self.wait.is_wanted()).await
    }
}
