//! `pvc vm tag get`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::VmTags;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::Table;

/// Show the tags of a VM.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    format: ListFormat,
}

impl Get {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::vm::tags(&self.vm);
        let paint = shell.out.paint();
        session
            .show(&request, self.format.form(), |tags: VmTags, style| render(&tags, style, paint))
            .await
    }
}

fn render(tags: &VmTags, style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names: Vec<&str> = tags.tags.iter().map(|tag| tag.name.as_str()).collect();
        return names.join("\n");
    }
    let mut table = Table::new(&[("", &["Name", "Type", "Protected"])]);
    for tag in &tags.tags {
        table.row(vec![
            (&tag.name).into(),
            (&tag.kind).into(),
            if tag.protected { "yes" } else { "no" }.into(),
        ]);
    }
    table.render(paint)
}
