//! Programs that take over the terminal for a while: a pager, an editor.
//!
//! They are the person's own choice, need the terminal, and last as long as the person
//! likes; so they are run here, without a deadline, and only here.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};
use crate::out::Out;

/// Shows a long text in `$PAGER`, else in `less`, else as it is.
pub(crate) fn page(out: Out, text: &str) -> Outcome {
    if !out.is_paged() {
        return out.data(text);
    }
    let wanted = env::var("PAGER").unwrap_or_default();
    let wanted = if wanted.trim().is_empty() { "less -R" } else { wanted.as_str() };
    let Some(mut pager) = command(wanted) else {
        return out.data(text);
    };
    let Ok(mut child) = pager.stdin(Stdio::piped()).spawn() else {
        return out.data(text);
    };
    let mut pipe = child.stdin.take().expect("its input was asked to be a pipe");
    // Whoever leaves the pager early has seen enough.
    let written = pipe.write_all(text.as_bytes()).and_then(|()| pipe.write_all(b"\n"));
    drop(pipe);
    let ended = child.wait();
    match written.err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        Some(error) => Err(Failure::new(format!("Failed to write to `{wanted}`: {error}"))),
        None => ended
            .map(|_| ())
            .map_err(|error| Failure::new(format!("Failed to wait for `{wanted}`: {error}"))),
    }
}

/// Lets the person edit a text in `$VISUAL`, `$EDITOR` or `vi`, and returns what became of it.
///
/// `suffix` is that of the file it is in, by which editors know its language.
pub(crate) fn edit(text: &str, suffix: &str) -> Result<String, Failure> {
    let wanted = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.trim().is_empty()))
        .unwrap_or_else(|| "vi".to_owned());
    let failed = |error: io::Error| {
        Failure::new(format!("Failed to edit with `{wanted}`: {error}"))
            .hint("EDITOR names the editor to use.")
    };
    let mut file =
        tempfile::Builder::new().prefix("pvc-").suffix(suffix).tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let mut editor = command(&wanted).ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let status = editor.arg(file.path()).status().map_err(failed)?;
    if !status.success() {
        return Err(Failure::new(format!("The editor `{wanted}` failed: {status}"))
            .hint("Nothing was changed."));
    }
    // Read by its name: many editors replace the file rather than write into it.
    fs::read_to_string(file.path()).map_err(failed)
}

/// A program with its arguments, separated by blanks.
fn command(line: &str) -> Option<Command> {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words);
    Some(command)
}
