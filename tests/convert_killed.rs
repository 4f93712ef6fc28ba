//! Conversions that are killed, or whose disk is full, go on with --resume and end as if nothing had happened.
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const SOURCE: &str = "core_v0.15.0/layouts/swiglu_tp2_ep2/sequential.torch";

fn command(source: &Path, target: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    command.arg("convert").args([source, target]).args(["--experts", "grouped"]).args(more);
    command.env_clear().env("LANG", "C.UTF-8").stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Every file below a folder, with its content.
fn content(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).expect("below").to_path_buf(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn killed_at_any_moment_it_goes_on() {
    let source = support::checkpoints().join(SOURCE);
    let before = content(&source);
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    let start = Instant::now();
    assert!(command(&source, &whole, &[]).status().expect("it runs").success());
    let length = start.elapsed();
    let expected = content(&whole);
    let mut begun = 0;
    let mut random = 0x9e37_79b9_u64;
    for round in 0..50 {
        let target = folder.path().join(round.to_string());
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = length.mul_f64((random >> 40) as f64 / f64::from(1 << 24));
        let mut child = command(&source, &target, &[]).spawn().expect("it starts");
        std::thread::sleep(moment);
        // SIGKILL on Unix.
        child.kill().expect("killed");
        child.wait().expect("ended");
        let tracker = target.join("latest_checkpointed_iteration.txt");
        if target.exists() && !tracker.exists() {
            begun += 1;
        }
        if tracker.exists() {
            // Once the framework would find it, every rank is there.
            assert!(expected.keys().all(|file| target.join(file).exists()), "{round}");
        }
        let resumed = command(&source, &target, &["--resume"]).status().expect("it runs");
        assert!(resumed.success(), "{round}");
        assert!(content(&target) == expected, "{round}: killed after {moment:?}");
    }
    assert!(begun > 5, "only {begun} were killed in the middle of {length:?}");
    assert!(content(&source) == before);
}

/// Runs it in a shell whose files may not grow beyond so many blocks of 1024 bytes: writes then fail as on a full disk.
fn limited(source: &Path, target: &Path, blocks: u32, more: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_moe-lint");
    let script =
        format!("trap '' XFSZ; ulimit -f {blocks}; exec '{program}' convert \"$1\" \"$2\" --experts grouped {more}");
    let mut command = Command::new("bash");
    command.args(["-c", &script, "bash"]).args([source, target]).env_clear().env("LANG", "C.UTF-8");
    command.output().expect("it runs")
}

#[test]
fn a_disk_without_room_leaves_a_clean_state() {
    let source = support::checkpoints().join(SOURCE);
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, target) = (folder.path().join("whole"), folder.path().join("target"));
    assert!(command(&source, &whole, &[]).status().expect("it runs").success());
    let output = limited(&source, &target, 16, "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("cannot be written") && told.contains("--resume"), "{told}");
    let left = content(&target);
    assert!(left.keys().all(|file| file.extension().is_some_and(|extension| extension == "json")), "{:?}", left.keys());
    // There is room again.
    let output = limited(&source, &target, 1024, "--resume");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(content(&target) == content(&whole));
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let source = support::checkpoints().join(SOURCE);
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, target) = (folder.path().join("whole"), folder.path().join("target"));
    assert!(command(&source, &whole, &[]).status().expect("it runs").success());
    let shares = ["0/4", "1/4", "2/4", "3/4"].map(|share| command(&source, &target, &["--shard", share]).spawn());
    for mut share in shares.into_iter().map(|share| share.expect("it starts")) {
        assert!(share.wait().expect("ended").success());
    }
    let start = Instant::now();
    assert!(command(&source, &target, &["--finish"]).status().expect("it runs").success());
    assert!(start.elapsed() < Duration::from_secs(60));
    assert!(content(&target) == content(&whole));
}
