//! When a VM gains or loses a device: at once, by a restart, or at its next start.

use clap::Args;
use pvc_client::call::vm::Definition;
use pvc_client::{Request, call};
use pvc_common::api::Vm;
use pvc_common::state::{VmState, Word};
use pvc_domxml::edit::EditError;

use super::restart;
use crate::failure::{Failure, Outcome};
use crate::options::{Consent, Live, Restart};
use crate::session::Session;
use crate::shell::Shell;
use crate::wait;

/// When a change takes effect.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Effect {
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    restart: Restart,
    #[command(flatten)]
    consent: Consent,
}

impl Effect {
    /// Stores a new definition; `plug` changes the VM if it runs.
    pub(super) async fn apply(
        self,
        shell: &Shell,
        session: &Session,
        vm: &Vm,
        xml: String,
        plug: &Request,
    ) -> Outcome {
        if self.restart.choice() == Some(true) || !self.live.is_wanted() {
            return restart::apply(shell, session, vm, xml, self.restart, self.consent).await;
        }
        let definition = Definition { old: vm.xml.clone(), new: xml };
        session.tell(&call::vm::modify(&vm.uuid, definition, false)).await?;
        if vm.state != VmState::Start.text() {
            let state = &vm.state;
            shell.out.note(&format!("The VM is in state {state}: its next start applies this."));
            return Ok(());
        }
        wait::task(session, plug, true).await.map_err(|failure| {
            failure.hint("The definition was changed: the VM's next start applies this.")
        })
    }
}

/// Why a definition was not changed.
pub(super) fn refusal(vm: &Vm, error: &EditError) -> Failure {
    Failure::new(format!("Failed to change VM '{}': {error}", vm.name))
        .hint("`pvc vm modify --editor` changes any part of the definition.")
}
