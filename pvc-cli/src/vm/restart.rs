//! Whether a changed definition is applied at once, by a restart.

use pvc_client::call;
use pvc_client::call::vm::Definition;
use pvc_common::api::Vm;

use crate::failure::{Failure, Outcome};
use crate::options::{Consent, Restart};
use crate::session::Session;
use crate::shell::Shell;

/// Stores a new definition and restarts the VM if that is wanted.
pub(super) async fn apply(
    shell: &Shell,
    session: &Session,
    vm: &Vm,
    xml: String,
    restart: Restart,
    consent: Consent,
) -> Outcome {
    let restart = wanted(shell, &vm.name, restart, consent)?;
    let definition = Definition { old: vm.xml.clone(), new: xml };
    session.tell(&call::vm::modify(&vm.uuid, definition, restart)).await
}

fn wanted(shell: &Shell, name: &str, restart: Restart, consent: Consent) -> Result<bool, Failure> {
    let wanted = match restart.choice() {
        Some(false) => return Ok(false),
        Some(true) => consent.yes || shell.ask(&format!("Restart virtual machine \"{name}\"?"))?,
        // To agree beforehand to whatever is asked for is not to ask for a restart.
        None => shell.choose(&format!("Restart VM \"{name}\" to apply changes?"))?,
    };
    if !wanted {
        shell.out.note("Changes will be applied on next VM start/restart.");
    }
    Ok(wanted)
}
