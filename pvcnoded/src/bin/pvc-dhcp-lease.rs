//! The lease helper of the networks' dnsmasqs.

use std::process::ExitCode;

use pvcnoded::dhcp::helper::help;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match help(&words, &|name| std::env::var_os(name)) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("pvc-dhcp-lease: {}: {error}", words.join(" ").escape_debug()));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "dnsmasq reads the leases there")]
fn say(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "dnsmasq's log is its own")]
fn complain(text: &str) {
    eprintln!("{text}");
}
