//! A snapshot holds all that a checkpoint's headers tell.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use moe_lint::checkpoint::{self, Options, snapshot};
use rayon::prelude::*;

static PAIRS: OnceLock<tempfile::TempDir> = OnceLock::new();

/// Every folder and file of the shipped and recorded checkpoints that can be read as a checkpoint.
fn checkpoints() -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let pairs = PAIRS.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory");
        support::unpack_from(&tests.join("truth/pairs"), directory.path());
        directory
    });
    let mut open = vec![tests.join("cases"), support::checkpoints().to_path_buf(), pairs.path().to_path_buf()];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
        // A rank's own file is one checkpoint more for each rank: those of the founding case are enough.
        let counts = path.is_dir() || path.starts_with(&tests) || path.extension().is_some_and(|e| e == "safetensors");
        if counts && checkpoint::read(&path, &Options::default()).is_ok() {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a snapshot of that checkpoint says.
fn recorded(path: &Path) -> String {
    let options = Options::default();
    let checkpoint = checkpoint::read(path, &options).unwrap_or_else(|error| panic!("{error}"));
    snapshot::write(&checkpoint, &checkpoint::locate(path, &options))
}

#[test]
fn a_snapshot_tells_everything_and_a_snapshot_of_it_is_the_same() {
    let all = checkpoints();
    assert!(all.len() >= 100, "{} checkpoints", all.len());
    all.par_iter().enumerate().for_each(|(number, path)| {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("x.moe-lint.json");
        let text = recorded(path);
        fs::write(&file, &text).expect("a file");
        same(path, &file, None);
        // The law does not depend on the checkpoint here.
        if number % 16 == 0 {
            same(path, &file, Some(10));
            same(path, &file, Some(999_999));
        }
        assert_eq!(recorded(&file), text, "{}", path.display());
    });
}

/// What is read and found at a path is what is read and found in its snapshot.
fn same(path: &Path, file: &Path, step: Option<u64>) {
    let options = Options { step, rules: None };
    let (here, there) = (checkpoint::read(path, &options), checkpoint::read(file, &options));
    assert!(format!("{here:?}") == format!("{there:?}"), "{} at {step:?}", path.display());
    let (here, there) = (checkpoint::locate(path, &options), checkpoint::locate(file, &options));
    let forget = |mut location: checkpoint::Location| {
        // Of an iteration that is not the recorded one only its presence is known.
        if location.folder != checkpoint::locate(path, &Options::default()).folder {
            location.content = Default::default();
        }
        location
    };
    assert_eq!(forget(here), forget(there), "{} at {step:?}", path.display());
}

#[test]
fn a_snapshot_is_small_and_readable() {
    let path = Path::new("tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential");
    insta::assert_snapshot!("founding", recorded(path));
}
