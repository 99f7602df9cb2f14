//! What Ceph tells of itself.
//!
//! Each start of `ceph` costs a third of a second of a processor, whatever it is asked. So it is
//! started twice, once for what people read and once for JSON, and reads its commands from its input.

use futures_util::future::try_join3;
use pvc_command::Output;

use super::{CephCli, unreadable};
use crate::parse::figures;
use crate::{CephError, Figures, Statistics};

impl CephCli {
    /// Has one `ceph` carry several commands out.
    pub(super) async fn session(
        &self,
        words: &[&str],
        commands: &str,
    ) -> Result<Output, CephError> {
        self.run_with("ceph", &self.ceph, words, Some(commands), self.limit).await
    }
}

impl Statistics for CephCli {
    async fn figures(&self) -> Result<Figures, CephError> {
        let (texts, documents, pools) = try_join3(
            self.session(&[], figures::TEXTS),
            self.session(&["--format", "json"], figures::DOCUMENTS),
            self.run("rados", &self.rados, &["df", "--format", "json"], self.limit),
        )
        .await?;
        let texts = figures::texts(&texts.stdout).ok_or_else(|| unreadable("ceph status, df"))?;
        figures::read(texts, &documents.stdout, &pools.stdout)
            .ok_or_else(|| unreadable("ceph health, osd dump, osd df, df, osd status; rados df"))
    }
}
