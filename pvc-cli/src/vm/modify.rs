//! `pvc vm modify`.

use clap::Args;
use pvc_client::call;
use pvc_client::call::vm::Definition;
use similar::{ChangeTag, TextDiff};

use super::define::read_definition;
use super::find;
use crate::failure::{Failure, Outcome};
use crate::foreground;
use crate::options::Consent;
use crate::paint::{Paint, tame};
use crate::shell::Shell;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 3;

/// Change the definition of a VM, from a file or in an editor.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["definition", "editor"])))]
pub(crate) struct Modify {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// File with the new definition; `-` reads standard input.
    #[arg(value_name = "CFGFILE")]
    definition: Option<String>,
    /// Edit the present definition in $VISUAL, $EDITOR or vi.
    #[arg(short, long)]
    editor: bool,
    /// Restart the VM to apply the change.
    #[arg(short, long)]
    restart: bool,
    /// Do not ask for confirmation of the change.
    #[arg(short = 'd', long)]
    confirm_diff: bool,
    /// Do not ask for confirmation of the restart.
    #[arg(short = 'c', long)]
    confirm_restart: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Modify {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        let current = pretty(&vm.xml)?;
        let new = match &self.definition {
            Some(file) => read_definition(file)?,
            None => foreground::edit(&current, ".xml")?,
        };
        // Only layout is different: nothing would change for the VM.
        let laid_out = pretty(&new)?;
        if laid_out == current {
            return shell.out.data("Aborting with no modifications.");
        }
        shell.out.note("Pending modifications:\n");
        shell.out.note(&diff(&current, &laid_out, shell.out.paint_notes()));
        let yes = self.consent.yes;
        let write = "Write modifications to cluster";
        shell.confirm(write, yes || self.confirm_diff)?;
        let question = format!("Restart VM \"{}\"", vm.name);
        let sure = yes || self.confirm_restart;
        let restart = self.restart && (sure || shell.ask(&format!("{question}?"))?);
        let definition = Definition { old: vm.xml, new };
        session.tell(&call::vm::modify(&self.vm, definition, restart)).await
    }
}

fn pretty(xml: &str) -> Result<String, Failure> {
    pvc_domxml::pretty(xml).map_err(|error| {
        Failure::new(format!("The definition is not valid: {error}")).hint("Nothing was changed.")
    })
}

/// A unified diff, removed lines in red and added ones in green.
pub(super) fn diff(old: &str, new: &str, paint: Paint) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = vec![paint.bold("--- current"), paint.bold("+++ modified")];
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(hunk.header().to_string());
        for change in hunk.iter_changes() {
            let text = tame(change.value().trim_end_matches('\n'));
            lines.push(match change.tag() {
                ChangeTag::Delete => paint.red(&format!("-{text}")),
                ChangeTag::Insert => paint.green(&format!("+{text}")),
                ChangeTag::Equal => format!(" {text}"),
            });
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_what_changes_and_what_is_around_it() {
        let old = "<a>\n  <b/>\n</a>\n";
        let new = "<a>\n  <c/>\n</a>\n";
        assert_eq!(
            diff(old, new, Paint::new(false)),
            "--- current\n+++ modified\n@@ -1,3 +1,3 @@\n <a>\n-  <b/>\n+  <c/>\n </a>"
        );
    }
}
