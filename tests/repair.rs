//! Every recorded pair of two configurations that does not load: a cause is named, and the offered change, made in the
//! text of a script and read again, gives a launch that loads the checkpoint.
//!
//! `REPAIR_ONLY=<parts of tag/name>` looks at some; `REPAIR_EVERY=1` at all (one in five otherwise, the random ones all).

mod support;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use moe_lint::check::{Input, Machine, Request, check};
use moe_lint::fix::applied;
use moe_lint::loader::Outcome;
use rayon::prelude::*;
use serde_json::Value as Json;

/// Pairs that no change of the launch's arguments cures, and why: parts of the record's name.
const NO_CURE: &[(&str, &str)] = &[];

#[derive(Default, Clone, Copy)]
struct Count {
    failing: usize,
    named: usize,
    cured: usize,
    safe: usize,
    /// More processes or another number of them would be needed.
    world: usize,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/pairs")
}

fn lines(path: &Path) -> Vec<Json> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path).expect("pairs")).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A script as people write them: an array of options, a line each.
fn script(record: &Json, checkpoint: &Path) -> String {
    let mut text = "#!/bin/bash\nARGS=(\n".to_owned();
    let mut words: Vec<String> =
        record["argv"].as_array().expect("argv").iter().map(|word| word.as_str().expect("a word").to_owned()).collect();
    if record["optimizer_given"] != true && !words.iter().any(|word| word == "--no-load-optim") {
        words.push("--no-load-optim".to_owned());
    }
    for (index, word) in words.iter().enumerate() {
        let word = if word == "ckpt" { checkpoint.display().to_string() } else { word.clone() };
        let start = if word.starts_with("--") || index == 0 { "\n    " } else { " " };
        text.push_str(&format!("{start}'{word}'").replace("'--", "--"));
        if word.starts_with("--") {
            text.pop();
        }
    }
    text.push_str("\n)\ntorchrun pretrain_gpt.py \"${ARGS[@]}\"\n");
    text.replace("ARGS=(\n\n", "ARGS=(\n")
}

fn request(tag: &str, record: &Json, text: String) -> Request {
    let te = record["te"].as_str().filter(|te| *te != "none").map(|te| te.parse().expect("a version"));
    Request {
        input: Input::Script { path: "train.sh".into(), text, env: Vec::new(), args: Vec::new() },
        machine: Machine {
            framework: Some(tag.parse().expect("a version")),
            te: Some(te),
            apex: true,
            world_size: record["world"].as_u64(),
            tokenizer_size: None,
            told_by: None,
            env: Vec::new(),
        },
        checkpoint: None,
        command: None,
    }
}

fn judge(tag: &str, record: &Json, checkpoints: &Path, count: &mut Count) -> Option<String> {
    let checkpoint = checkpoints.join(record["ckpt_dir"].as_str().expect("a directory"));
    if record["strict"] == false || record["situation"] == true || record["verdict"] == "failed" || !checkpoint.is_dir()
    {
        return None;
    }
    let text = script(record, &checkpoint);
    let report = check(&request(tag, record, text.clone())).ok()?;
    if !matches!(report.outcome, Outcome::Fails | Outcome::Partial) || report.rejected.is_some() {
        return None;
    }
    count.failing += 1;
    let unnamed = ["shape-mismatch", "other-keys", "missing-keys", "unexpected-keys"];
    let named = report.diagnoses.first().is_some_and(|one| !unnamed.contains(&&*one.rule));
    count.named += usize::from(named);
    let fix = report.diagnoses.iter().flat_map(|one| &one.fixes).find(|fix| fix.proven());
    let shown = || {
        let stages = report.stages.iter().find(|stage| stage.verdict != moe_lint::loader::Verdict::Ok);
        format!(
            "{} {} | {}",
            report.diagnoses.first().map_or("none", |one| &one.rule),
            report.diagnoses.first().map_or("", |one| &one.message),
            stages.map_or("", |stage| &stage.message)
        )
    };
    let Some(fix) = fix else {
        return Some(format!("no cure: {}", shown()));
    };
    if std::env::var("REPAIR_SHOW").is_ok() {
        println!("{tag}/{}: {} => {}", record["name"], shown(), fix.title);
    }
    if fix.title.starts_with("start ") {
        // With another number of processes, which is the launcher's to say.
        count.world += 1;
        return None;
    }
    let Some(new) = applied(&text, &fix.edits).filter(|new| *new != text) else {
        return Some(format!("`{}` is not made in the text: {text}", fix.title));
    };
    match check(&request(tag, record, new)) {
        Ok(report) if report.outcome == Outcome::Loads => {
            count.cured += 1;
            count.safe += usize::from(fix.applicability == moe_lint::diagnose::Applicability::Safe);
            None
        }
        other => Some(format!("WRONG FIX `{}`: {:?}", fix.title, other.map(|report| report.outcome))),
    }
}

/// The checkpoints of `tag`, where some tags borrow those of another: the files are the same but for the version.
fn stored(tag: &str) -> &str {
    match tag {
        "core_v0.16.0" => "core_v0.15.0",
        other => other,
    }
}

#[test]
fn pairs_are_explained_and_cured() {
    let only = std::env::var("REPAIR_ONLY").unwrap_or_default();
    let every: usize = std::env::var("REPAIR_EVERY").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let wanted: Vec<&str> = only.split(' ').collect();
    let checkpoints = tempfile::tempdir().expect("a temporary directory");
    support::unpack_from(&folder(), checkpoints.path());
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).expect("pairs").map(|e| e.expect("an entry").path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".jsonl.gz"));
    files.sort();
    let mut total = Count::default();
    let mut wrong = Vec::new();
    for path in files {
        let tag = path.file_name().and_then(|n| n.to_str()).expect("a name").trim_end_matches(".jsonl.gz").to_owned();
        let version = tag.trim_start_matches("random-");
        let every = if version == tag { every } else { 1 };
        let mut records = lines(&path);
        records.retain(|record| record["situation"] != true);
        let results: Vec<(Count, Option<String>)> = records
            .par_iter()
            .enumerate()
            .filter(|(index, record)| {
                let name = format!("{tag}/{}", record["name"].as_str().expect("a name"));
                index % every == 0 && wanted.iter().all(|part| name.contains(part))
            })
            .map(|(_, record)| {
                let mut count = Count::default();
                let text = judge(version, record, &checkpoints.path().join(stored(&tag)), &mut count);
                (count, text.map(|text| format!("{tag}/{}: {text}", record["name"].as_str().expect("a name"))))
            })
            .collect();
        for (count, text) in results {
            total.failing += count.failing;
            total.named += count.named;
            total.cured += count.cured;
            total.safe += count.safe;
            total.world += count.world;
            wrong.extend(text);
        }
    }
    let curable = total.failing - total.world;
    println!(
        "{} pairs do not load: a cause is named for {}, {} of {curable} are cured ({} safely); {} need another number of processes",
        total.failing, total.named, total.cured, total.safe, total.world
    );
    wrong.retain(|text| !NO_CURE.iter().any(|(name, _)| text.contains(name)));
    println!("{} others:\n  {}", wrong.len(), wrong.join("\n  "));
    assert!(!wrong.iter().any(|text| text.contains("WRONG FIX")), "a fix is wrong");
    assert!(total.cured * 100 >= curable * 95 || !only.is_empty(), "fewer than 95 % are cured");
}
