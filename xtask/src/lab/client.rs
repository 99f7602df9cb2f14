//! The client outside the cluster: where it stands, what it is connected to.

use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::host::Network;
use super::layout::Lab;
use super::{guest, identity, switch};
use crate::run::Run;

/// The connection's name.
const CONNECTION: &str = "lab";

/// Writes what the client needs: its connection to the cluster's floating address, and ready-made
/// VM definitions.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn make(lab: &Lab) -> Result<()> {
    connect(lab, Network::Upstream.floating(), identity::API_PORT)?;
    for kind in guest::Kind::ALL {
        let file = definition(lab, kind);
        if !file.exists() {
            let xml = guest::domain_xml(kind, &first_name(kind), &guest::new_uuid()?);
            fs::write(file, xml)?;
        }
    }
    Ok(())
}

/// Writes the client's only connection: to the API at this address.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn connect(lab: &Lab, address: Ipv4Addr, port: u16) -> Result<()> {
    let dir = lab.client();
    fs::create_dir_all(&dir)?;
    let store = json!({
        CONNECTION: {
            "description": "The lab",
            "host": address.to_string(),
            "port": port,
            "scheme": "http",
            "api_key": identity::TOKEN,
        }
    });
    fs::write(dir.join("pvc.json"), format!("{store:#}\n"))?;
    Ok(())
}

/// The name of the first VM of a kind.
pub(crate) fn first_name(kind: guest::Kind) -> String {
    format!("{}1", kind.name())
}

/// The ready-made definition of the first VM of a kind.
pub(crate) fn definition(lab: &Lab, kind: guest::Kind) -> PathBuf {
    lab.client().join(format!("{}.xml", first_name(kind)))
}

/// A command that runs any program where the client stands: in the upstream network only.
pub(crate) fn command<S: AsRef<OsStr>>(lab: &Lab, argv: impl IntoIterator<Item = S>) -> Command {
    let mut command = if lab.is_light() {
        Command::new("env")
    } else {
        let mut command = Command::new("nsenter");
        command.args([&switch::client_entry(lab), "--"]);
        command
    };
    command.args(argv).env("PVC_CLIENT_DIR", lab.client()).env("PVC_CONNECTION", CONNECTION);
    command
}

/// A command that runs the client.
///
/// # Errors
/// When the lab has none.
pub(crate) fn pvc(lab: &Lab) -> Result<Command> {
    let program = lab.client_program();
    ensure!(
        program.exists(),
        "there is no {}: `cargo xtask lab up` without --bare makes it",
        program.display()
    );
    Ok(command(lab, [program]))
}

/// Runs the client without questions and returns what it prints.
///
/// # Errors
/// When it fails or takes longer than 20 s.
pub(crate) fn ask<'a>(lab: &Lab, words: impl IntoIterator<Item = &'a str>) -> Result<String> {
    Run::of(pvc(lab)?)
        .args(["--quiet", "--unsafe"])
        .args(words)
        .limit(Duration::from_secs(20))
        .done()
}

/// Runs the client and parses what it prints.
///
/// # Errors
/// As [`ask`], and when the answer is not what was expected.
pub(crate) fn ask_json<'a, T: DeserializeOwned>(
    lab: &Lab,
    words: impl IntoIterator<Item = &'a str>,
) -> Result<T> {
    let answer = ask(lab, words.into_iter().chain(["--format", "json"]))?;
    serde_json::from_str(&answer).with_context(|| format!("not understood: {answer}"))
}
