//! A snapshot holds all that a checkpoint's headers tell.

mod support;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use moe_lint::check::{self, Input, Machine, Request};
use moe_lint::checkpoint::{self, Options, snapshot};
use moe_lint::report::json;
use rayon::prelude::*;

static PAIRS: OnceLock<tempfile::TempDir> = OnceLock::new();

/// The checkpoints of the recorded pairs, a folder a version.
fn pairs() -> &'static Path {
    PAIRS
        .get_or_init(|| {
            let directory = tempfile::tempdir().expect("a directory");
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/pairs");
            support::unpack_from(&folder, directory.path());
            directory
        })
        .path()
}

/// Every folder and file of the shipped and recorded checkpoints that may be one.
fn candidates() -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut open = vec![tests.join("cases"), support::checkpoints().to_path_buf(), pairs().to_path_buf()];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
        // A rank's own file is one checkpoint more for each rank, and an iteration's own directory one for each root: of
        // the founding case and the recorded formats they are enough.
        let is_root =
            path.is_dir() && (!path.starts_with(pairs()) || path.parent().and_then(Path::parent) == Some(pairs()));
        if is_root || path.starts_with(&tests) || path.extension().is_some_and(|end| end == "safetensors") {
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
    let options = Options::default();
    let candidates = candidates();
    let read = candidates.par_iter().enumerate().map(|(number, path)| {
        let Ok(here) = checkpoint::read(path, &options) else { return 0 };
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("x.moe-lint.json");
        let text = snapshot::write(&here, &checkpoint::locate(path, &options));
        fs::write(&file, &text).expect("a file");
        let there = checkpoint::read(&file, &options).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(format!("{here:?}") == format!("{there:?}"), "{}", path.display());
        assert_eq!(checkpoint::locate(path, &options), checkpoint::locate(&file, &options), "{}", path.display());
        let again = snapshot::write(&there, &checkpoint::locate(&file, &options));
        assert!(again == text, "{}: a snapshot of a snapshot", path.display());
        // Another step is found in the same way for all.
        if number % 16 == 0 {
            [10, 999_999].iter().for_each(|step| at_step(path, &file, *step));
        }
        1
    });
    let read: usize = read.sum();
    assert!(read >= 100, "{read} checkpoints");
}

/// What is read and found at a path for a step is what is read and found in its snapshot.
fn at_step(path: &Path, file: &Path, step: u64) {
    let options = Options { step: Some(step), rules: None };
    let (here, there) = (checkpoint::read(path, &options), checkpoint::read(file, &options));
    assert!(format!("{here:?}") == format!("{there:?}"), "{} at {step}", path.display());
    let recorded = checkpoint::locate(path, &Options::default()).folder;
    let forget = |mut location: checkpoint::Location| {
        // Of an iteration that is not the recorded one only its presence is known.
        if location.folder != recorded {
            location.content = Default::default();
        }
        location
    };
    let (here, there) = (checkpoint::locate(path, &options), checkpoint::locate(file, &options));
    assert_eq!(forget(here), forget(there), "{} at {step}", path.display());
}

#[test]
fn a_snapshot_is_small_and_readable() {
    let path = Path::new("tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential");
    insta::assert_snapshot!("founding", recorded(path));
}

#[test]
fn whatever_a_snapshot_says_it_is_read_or_refused() {
    let good = recorded(Path::new("tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential"));
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("x.moe-lint.json");
    let mut state: u64 = 924;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let pieces: [&[u8]; 12] =
        [b"{0..9}", b"-", b"[", b"}", b"18446744073709551615", b"\"", b"\\", b" in ", b"null", b"\xff", b"{", b"0"];
    let mut read = 0;
    for round in 0..400 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=round % 3 {
            let (at, piece) = (random(bytes.len()), pieces[random(pieces.len())]);
            let end = (at + random(8)).min(bytes.len());
            bytes.splice(at..end, piece.iter().copied());
        }
        fs::write(&file, &bytes).expect("a file");
        read += usize::from(checkpoint::read(&file, &Options::default()).is_ok());
    }
    // What stands outside of the digest (where it lay, what was noted) may be changed.
    assert!(read < 100, "{read} of 400 were read");
}

/// What a check says, as programs read it; whether it can be told apart from another is all that counts here.
fn told(request: &Request) -> String {
    match check::check(request) {
        Err(error) => error.to_string(),
        Ok(report) => {
            let mut text = Vec::new();
            json::check(&mut text, &report).expect("a document");
            String::from_utf8(text).expect("UTF-8")
        }
    }
}

#[test]
fn a_check_against_a_snapshot_says_the_same() {
    let recorded_pairs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/pairs");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&recorded_pairs).expect("pairs").map(|e| e.expect("an entry").path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".jsonl.gz"));
    files.sort();
    let mut requests = Vec::new();
    for path in files {
        let tag =
            path.file_name().and_then(|name| name.to_str()).expect("a name").trim_end_matches(".jsonl.gz").to_owned();
        let mut text = String::new();
        flate2::read::GzDecoder::new(fs::File::open(&path).expect("pairs")).read_to_string(&mut text).expect("gzip");
        // A sample: what a check is told of a checkpoint is compared for all of them above.
        for line in text.lines().step_by(61) {
            let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let checkpoint = pairs().join(&tag).join(record["ckpt_dir"].as_str().expect("a checkpoint"));
            if !checkpoint.is_dir() {
                continue;
            }
            let words =
                record["argv"].as_array().expect("argv").iter().map(|word| word.as_str().expect("a word").to_owned());
            let input = Input::Words(std::iter::once("pretrain_gpt.py".to_owned()).chain(words).collect());
            requests.push((tag.trim_start_matches("random-").to_owned(), input, checkpoint));
        }
    }
    assert!(requests.len() >= 20, "{} pairs", requests.len());
    requests.par_iter().for_each(|(tag, input, checkpoint)| {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("x.moe-lint.json");
        fs::write(&file, recorded(checkpoint)).expect("a file");
        let machine = Machine {
            framework: Some(tag.parse().expect("a version")),
            te: None,
            apex: true,
            world_size: Some(8),
            tokenizer_size: None,
            told_by: None,
            env: Vec::new(),
        };
        let request = |path: &Path| Request {
            input: input.clone(),
            machine: machine.clone(),
            checkpoint: Some(path.to_path_buf()),
            command: None,
        };
        assert_eq!(told(&request(checkpoint)), told(&request(&file)), "{tag} {}", checkpoint.display());
    });
}
