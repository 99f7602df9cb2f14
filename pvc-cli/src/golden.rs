//! Golden tests: the help of every command, and every rendering of recorded answers.
//!
//! `PVC_UPDATE_GOLDEN=1 cargo test -p pvc-cli` writes them anew; their difference is then
//! reviewed as a change of behaviour.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use crate::Cli;

/// Compares `text` with the golden file, or writes it.
pub(crate) fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("PVC_UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("it has a directory")).expect("it can be made");
        fs::write(&path, text).expect("it can be written");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{} differs: {}", name, path.display());
}

/// A recorded answer of the API.
pub(crate) fn fixture<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let text = fs::read_to_string(path).expect("it can be read");
    serde_json::from_str(&text).expect("it has the shape of an answer")
}

fn walk(command: &Command, path: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let help = command.clone().bin_name(path.join(" ")).term_width(100).render_long_help();
    found.push((path.to_vec(), help.to_string()));
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        let mut path = path.to_vec();
        path.push(child.get_name().to_owned());
        walk(child, &path, found);
    }
}

fn helps() -> Vec<(Vec<String>, String)> {
    let mut command = Cli::command();
    command.build();
    let mut found = Vec::new();
    walk(&command, &["pvc".to_owned()], &mut found);
    found
}

#[test]
fn the_help_of_every_command_is_as_reviewed() {
    for (path, help) in helps() {
        check(&format!("help/{}.txt", path.join("-")), &help);
    }
}

#[test]
fn no_help_is_kept_for_a_command_that_is_gone() {
    let known: Vec<PathBuf> =
        helps().iter().map(|(path, _)| PathBuf::from(format!("{}.txt", path.join("-")))).collect();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help");
    for file in fs::read_dir(directory).unwrap() {
        let name = PathBuf::from(file.unwrap().file_name());
        assert!(known.contains(&name), "{} belongs to no command", name.display());
    }
}

#[test]
fn every_command_and_option_is_explained() {
    fn walk(command: &Command) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{}: {argument}", command.get_name());
        }
        command.get_subcommands().for_each(walk);
    }
    let command = Cli::command();
    walk(&command);
    command.debug_assert();
}
