//! The recorded checkpoints of tests/truth/checkpoints (see pack.py there), unpacked into a temporary directory.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The directory with all recorded checkpoints. It lives as long as the test program.
pub fn checkpoints() -> &'static Path {
    static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DIRECTORY
        .get_or_init(|| {
            let directory = tempfile::tempdir().expect("a temporary directory");
            unpack_from(&truth(), directory.path());
            directory
        })
        .path()
}

/// The lines of the recorded facts.
pub fn facts() -> Vec<serde_json::Value> {
    let text = String::from_utf8(inflate(&truth(), "facts.jsonl.gz")).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn inflate(folder: &Path, name: &str) -> Vec<u8> {
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(folder.join(name)).expect(name)).read_to_end(&mut content).expect(name);
    content
}

fn truth() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/checkpoints")
}

/// Unpacks the checkpoints of a folder that pack.py or pairs.py wrote.
pub fn unpack_from(folder: &Path, directory: &Path) {
    let pieces = inflate(folder, "pieces.gz");
    let files = String::from_utf8(inflate(folder, "files.gz")).expect("text");
    let mut lines = files.lines();
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let mut starts = vec![0];
    for length in lines.next().expect("lengths").split(',') {
        starts.push(starts[starts.len() - 1] + number(length));
    }
    for line in lines {
        let (path, ranges) = line.split_once('\t').expect("path and pieces");
        let mut content = Vec::new();
        for range in ranges.split(',') {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            content.extend_from_slice(&pieces[starts[number(from)]..starts[number(to) + 1]]);
        }
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
}

/// Copies a directory.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The checkpoints below a directory: every directory with a tracker file.
pub fn checkpoint_directories(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        if directory.join("latest_checkpointed_iteration.txt").is_file() {
            found.push(directory);
            continue;
        }
        let entries = fs::read_dir(&directory).expect("a folder").map(|entry| entry.expect("an entry").path());
        open.extend(entries.filter(|path| path.is_dir()));
    }
    found.sort();
    found
}
