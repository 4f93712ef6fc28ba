//! The reader against a real bash: hand-made scripts and random ones, on stub programs that record their argv.
//!
//! The random scripts are made of harmless parts only. Without a bash on this machine there is nothing to compare.

// A test that is skipped says so.
#![allow(clippy::print_stdout)]

mod scripts;

use std::path::Path;
use std::process::Command;

use moe_lint::launch::{Options, read_script};
use proptest::test_runner::{Config, TestCaseError};

/// A folder with a stub `torchrun` that writes its words to a log.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Option<Self> {
        if Command::new("bash").arg("--version").output().is_err() {
            println!("skipped: there is no bash on this machine");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).expect("a folder");
        std::fs::create_dir(folder.path().join("work")).expect("a folder");
        for file in ["a.bin", "b.bin", "c d.bin"] {
            std::fs::write(folder.path().join("work").join(file), "").expect("a file");
        }
        let stub = "#!/bin/bash\n{ printf '%s\\0' \"${0##*/}\" \"$@\"; printf '\\n\\0'; } >> \"$LOG\"\n";
        let path = bin.join("torchrun");
        std::fs::write(&path, stub).expect("a file");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        }
        Some(Self { folder })
    }

    fn env(&self) -> Vec<(String, String)> {
        let root = self.folder.path().display();
        let pairs =
            [("PATH", format!("{root}/bin:/usr/bin:/bin")), ("HOME", "/home/u".into()), ("LOG", format!("{root}/log"))];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The commands that bash starts. `None` where an `eval` ends inside of quotes: the parser of bash 5.2 is confused
    /// from there on, and may refuse a later `for ((`.
    fn bash(&self, script: &str) -> Option<Vec<Vec<String>>> {
        let log = self.folder.path().join("log");
        let _ = std::fs::remove_file(&log);
        let file = self.folder.path().join("script.sh");
        std::fs::write(&file, script).expect("a file");
        // Random scripts are bounded by their making; the limits are for what that overlooks.
        let ran = Command::new("bash")
            .args(["-c", "ulimit -t 5 -v 1000000; exec bash ../script.sh \"$@\"", "bash"])
            .args(["one", "two words", ""])
            .current_dir(self.folder.path().join("work"))
            .env_clear()
            .envs(self.env())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .output()
            .expect("bash runs");
        if String::from_utf8_lossy(&ran.stderr).contains("unexpected EOF while looking for matching") {
            return None;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned();
        let commands = text.split("\n\0").filter(|part| !part.is_empty());
        Some(commands.map(|part| part.split_terminator('\0').map(str::to_owned).collect()).collect())
    }

    /// The commands that the reader finds.
    fn read(&self, script: &str) -> Vec<Vec<String>> {
        let options = Options {
            env: self.env(),
            args: ["one", "two words", ""].map(str::to_owned).to_vec(),
            complete: true,
            directory: Some(self.folder.path().join("work")),
            ..Options::default()
        };
        let launch = read_script(Path::new("../script.sh"), script, &options).expect("a script");
        let commands = launch.commands.iter().filter(|command| command.known(0) == Some("torchrun"));
        let word = |word: &moe_lint::launch::Word| match &word.value {
            Ok(text) => text.clone(),
            Err(unknown) => format!("<{}: {}>", unknown.name, unknown.reason),
        };
        commands.map(|command| command.argv.iter().map(word).collect()).collect()
    }
}

#[test]
fn single_constructs_are_as_in_bash() {
    let Some(machine) = Machine::new() else { return };
    let mut failed = String::new();
    for script in scripts::CONSTRUCTS {
        let (want, have) = (machine.bash(script), machine.read(script));
        if want.as_ref() != Some(&have) {
            failed += &format!("{script}\n  bash {want:?}\n  here {have:?}\n");
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn random_scripts_are_as_in_bash() {
    let Some(machine) = Machine::new() else { return };
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let mut runner = proptest::test_runner::TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    });
    let result = runner.run(&scripts::script(), |script| {
        let (want, have) = (machine.bash(&script), machine.read(&script));
        if want.as_ref().is_none_or(|want| *want == have) {
            return Ok(());
        }
        Err(TestCaseError::fail(format!("\n{script}\n  bash {want:?}\n  here {have:?}")))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
