//! The parser against another one, and against `bash -n` where a folder of scripts is given.

// A measurement is there to be read.
#![allow(clippy::print_stdout)]

mod scripts;

use std::path::{Path, PathBuf};

use brush_parser::{Parser, ParserOptions};
use moe_lint::launch::syntax_error;
use proptest::prelude::*;

fn other_accepts(text: &str) -> bool {
    Parser::new(text.as_bytes(), &ParserOptions::default()).parse_program().is_ok()
}

#[test]
fn constructs_and_cases_are_accepted_by_both() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases-shell");
    let mut texts: Vec<String> = scripts::CONSTRUCTS.iter().map(|text| (*text).to_owned()).collect();
    for entry in std::fs::read_dir(cases).expect("the cases") {
        texts.extend(std::fs::read_to_string(entry.expect("an entry").path().join("script.sh")));
    }
    for text in texts {
        assert_eq!(syntax_error(&text).is_none(), other_accepts(&text), "{text}\n{:?}", syntax_error(&text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_scripts_are_accepted_by_both(text in scripts::script()) {
        prop_assert_eq!(syntax_error(&text), None);
        prop_assert!(other_accepts(&text));
    }

    /// Any text ends in an answer, and cutting a script anywhere does too.
    #[test]
    fn nothing_panics(text in "[ -~\n]{0,200}", script in scripts::script(), cut in 0.0..1.0f64) {
        let _ = syntax_error(&text);
        let end = (script.len() as f64 * cut) as usize;
        let _ = syntax_error(script.get(..end).unwrap_or(""));
    }
}

fn shell_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            shell_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "sh") {
            files.push(path);
        }
    }
}

#[test]
fn verdicts_are_those_of_bash() {
    let Ok(folder) = std::env::var("MOE_LINT_REPOSITORIES") else {
        println!("skipped: MOE_LINT_REPOSITORIES is not set");
        return;
    };
    let mut files = Vec::new();
    shell_files(Path::new(&folder), &mut files);
    let (mut both, mut refused, mut wrong) = (0, 0, Vec::new());
    for file in &files {
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        let bash = std::process::Command::new("bash").arg("-n").arg(file).output().expect("bash runs").status.success();
        let here = syntax_error(&text);
        match (bash, here) {
            (true, None) => both += 1,
            (false, Some(_)) => refused += 1,
            (bash, here) => wrong.push(format!("{} bash {bash}, here {here:?}", file.display())),
        }
    }
    println!("{} files: {both} accepted by both, {refused} refused by both, {} differ", files.len(), wrong.len());
    for line in wrong.iter().take(40) {
        println!("{line}");
    }
    assert!(wrong.len() * 1000 <= files.len());
}
