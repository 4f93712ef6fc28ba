//! Every recorded pair of a checkpoint and a launch: what is predicted is what the real loader did.
//!
//! The pairs were recorded with `load_checkpoint(model, None, None)`: without an optimizer, which is what
//! `--no-load-optim` says. Launches that are refused are counted apart. `PAIRS_ONLY=<parts of tag/name>` looks at some,
//! `PAIRS_SHOW=1` prints what a user sees of them.

#[path = "support/diagnoses.rs"]
mod diagnoses;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use moe_lint::check::{Input, Machine, Request, check};
use moe_lint::diff::PartDiff;
use moe_lint::loader::Outcome;
use moe_lint::report::Report;
use moe_lint::schema::Schema;
use rayon::prelude::*;
use serde_json::Value as Json;

/// One recorded pair that is not predicted, and why.
type Differing = (String, String);

/// Pairs whose outcome is predicted and whose key sets are not, and why.
const KNOWN: &[(&str, &str)] = &[(
    "d_local__to__l_dense_local.torch",
    "a legacy model loads its parts one after the other and stops at the first: its report has keys of that part only",
)];

/// Keys of a distributed checkpoint that are not the model's: they are compared elsewhere.
const NOT_THE_MODELS: &[&str] = &["rerun_state_machine_state"];

#[derive(Default)]
struct Count {
    pairs: usize,
    outcomes: usize,
    /// Of these, distributed loads that are predicted to leave something out: the record neither shows nor denies it.
    left_out: usize,
    refused: usize,
    refused_as_such: usize,
    key_sets: usize,
    key_sets_equal: usize,
    /// Loads that fail or lose something.
    bad: usize,
    /// Of these, those for which a cause is named.
    explained: usize,
    /// Of these, those with a change of the launch under which the checkpoint loads.
    curable: usize,
    /// How often each rule is told, and with a cure; and an example.
    rules: BTreeMap<String, (usize, usize, String)>,
}

impl Count {
    /// What is told of a pair that does not load.
    fn told(&mut self, record: &Json, report: &Report) {
        let causes = || report.diagnoses.iter().filter(|one| diagnoses::is_cause(&one.rule));
        if matches!(report.outcome, Outcome::Fails | Outcome::Partial | Outcome::Fresh) && report.rejected.is_none() {
            self.bad += 1;
            self.explained += usize::from(causes().next().is_some());
            self.curable += usize::from(causes().any(|one| one.fixes.iter().any(|fix| fix.proven())));
        }
        for one in &report.diagnoses {
            let told = self.rules.entry(one.rule.clone()).or_default();
            told.0 += 1;
            told.1 += usize::from(one.fixes.iter().any(|fix| fix.proven()));
            told.2 = format!("{}: {}", record["name"], one.message);
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/pairs")
}

fn lines(path: &Path) -> Vec<Json> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path).expect("pairs")).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The keys of a list in a record; a mismatch is an object with its key.
fn keys(record: &Json, name: &str) -> BTreeSet<String> {
    let list = record[name].as_array().into_iter().flatten();
    list.map(|key| key.as_str().or_else(|| key["key"].as_str()).expect("a key").to_owned()).collect()
}

/// The checkpoints of `tag`, where some tags borrow those of another: the files are the same but for the version.
fn stored(tag: &str) -> &str {
    match tag {
        "core_v0.16.0" => "core_v0.15.0",
        other => other,
    }
}

/// Lays the checkpoint of a pair out as it was when the pair was recorded; the directory that `ckpt` stands for.
fn lay_out(checkpoint: &Path, record: &Json, at: &Path) {
    let prep = record["prep"].as_str().unwrap_or("");
    if prep.starts_with("--load names a directory that does not exist") {
        return;
    }
    if prep.starts_with("--load names an absent directory") {
        return support::copy(checkpoint, &at.join("ckpt2"));
    }
    let root = at.join("ckpt");
    if prep.starts_with("--load names the iteration directory") {
        return support::copy(&checkpoint.join("iter_0000010"), &root);
    }
    support::copy(checkpoint, &root);
    let tracker = root.join("latest_checkpointed_iteration.txt");
    if prep.starts_with("tracker file removed") {
        fs::remove_file(&tracker).expect("a tracker");
    } else if let Some(text) = record["tracker"].as_str() {
        fs::write(&tracker, text).expect("a tracker");
    }
    let iteration = root.join("iter_0000010");
    if prep.starts_with("tracker says release, iteration directory renamed") {
        fs::rename(&iteration, root.join("release")).expect("a directory");
    }
    if prep == "iterations 5 and 10" {
        support::copy(&iteration, &root.join("iter_0000005"));
    }
    let change = |suffix: &str, change: &dyn Fn(&Path)| for_each(&root, suffix, change);
    let remove = |path: &Path| fs::remove_file(path).expect("a file");
    let halve = |path: &Path| {
        let content = fs::read(path).expect("a file");
        fs::write(path, &content[..content.len() / 2]).expect("a file");
    };
    match prep {
        "every .pt and .distcp file cut to half its size" => {
            change(".pt", &halve);
            change(".distcp", &halve);
        }
        "model_optim_rng.pt removed" => change("model_optim_rng.pt", &remove),
        ".distcp files removed" => change(".distcp", &remove),
        "metadata.json removed" => change("metadata.json", &remove),
        ".metadata removed" => change(".metadata", &remove),
        "common.pt removed" => change("common.pt", &remove),
        _ => {}
    }
}

fn for_each(directory: &Path, suffix: &str, change: &dyn Fn(&Path)) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            for_each(&path, suffix, change);
        } else if path.to_string_lossy().ends_with(suffix) {
            change(&path);
        }
    }
}

fn request(tag: &str, record: &Json, at: &Path) -> Request {
    let mut words = vec!["pretrain_gpt.py".to_owned()];
    for word in record["argv"].as_array().expect("argv") {
        let word = word.as_str().expect("a word");
        words.push(if matches!(word, "ckpt" | "ckpt2") {
            at.join(word).display().to_string()
        } else {
            word.to_owned()
        });
    }
    if record["optimizer_given"] != true && !words.iter().any(|word| word == "--no-load-optim") {
        words.push("--no-load-optim".to_owned());
    }
    let te = record["te"].as_str().filter(|te| *te != "none").map(|te| te.parse().expect("a version"));
    Request {
        input: Input::Words(words),
        machine: Machine {
            framework: Some(tag.parse().expect("a version")),
            te: Some(te),
            apex: true,
            tokenizer_size: None,
            told_by: None,
            env: Vec::new(),
            world_size: record["world"].as_u64(),
        },
        checkpoint: None,
        command: None,
    }
}

/// The parts of a record that speak of single ranks.
fn ranks(record: &Json) -> Vec<&Json> {
    record["per_rank"].as_array().map_or_else(|| vec![record], |ranks| ranks.iter().collect())
}

fn is_state(key: &str) -> bool {
    key.ends_with("_extra_state")
}

/// How the recorded load ended, and whether that rests on the prediction: a distributed load leaves out what the model
/// does not ask for, and does not say so.
fn ended(record: &Json, report: &Report) -> (Outcome, bool) {
    if record["verdict"] != "ok" {
        return (Outcome::Fails, false);
    }
    let ranks = ranks(record);
    if ranks.iter().all(|rank| rank["not_loaded"] == true) {
        return (Outcome::Fresh, false);
    }
    let lost = |rank: &&Json| {
        rank["untouched_all"] == true
            || !keys(rank, "untouched_params").is_empty()
            || rank["second_try"] == true
                && ["missing", "unexpected"].iter().any(|name| keys(rank, name).iter().any(|key| !is_state(key)))
    };
    let left_out = record["fmt"] == "torch_dist"
        && report.outcome == Outcome::Partial
        && report
            .diff
            .parts
            .iter()
            .any(|part| !part.mismatched.is_empty() || part.unexpected.iter().any(|(key, _)| !is_state(key)));
    match (ranks.iter().any(lost), left_out) {
        (true, _) => (Outcome::Partial, false),
        (false, true) => (Outcome::Partial, true),
        (false, false) => (Outcome::Loads, false),
    }
}

/// Predicted missing, unexpected and mismatched keys of a rank, or of the whole.
fn predicted<'p>(parts: impl Iterator<Item = &'p PartDiff>) -> [BTreeSet<String>; 3] {
    let mut sets: [BTreeSet<String>; 3] = Default::default();
    for part in parts {
        sets[0].extend(part.missing.iter().map(|(key, _)| key.to_string()));
        sets[1].extend(part.unexpected.iter().map(|(key, _)| key.to_string()));
        sets[2].extend(part.mismatched.iter().map(|mismatch| mismatch.key.to_string()));
    }
    sets
}

/// The parts of a report that a rank sees: ranks count tensor-parallel first, then expert-parallel, pipeline last.
fn of_rank(report: &Report, rank: u64, world: u64) -> Vec<&PartDiff> {
    let Some(Schema::PerRank(ranks)) = &report.schema else { return Vec::new() };
    let size = |of: &dyn Fn(&moe_lint::schema::Coordinates) -> u64| {
        ranks.iter().map(|rank| of(&rank.coordinates) + 1).max().unwrap_or(1)
    };
    let (tp, pp, ep) = (size(&|c| c.tp), size(&|c| c.pp), size(&|c| c.ep));
    let etp = ranks.iter().all(|rank| rank.coordinates.etp.is_some()).then(|| size(&|c| c.etp.unwrap_or(0)));
    let inside = rank % (world / pp);
    let wanted = (inside % tp, rank / (world / pp), inside / etp.unwrap_or(tp) % ep);
    let parts = report.diff.parts.iter();
    parts.filter(|part| part.coordinates.is_some_and(|c| (c.tp, c.pp, c.ep) == wanted)).collect()
}

/// Compares key sets where the load got as far as telling them. `None`: it did not.
fn key_sets(record: &Json, report: &Report) -> Option<Result<(), String>> {
    report.schema.as_ref()?;
    let world = record["world"].as_u64().unwrap_or(1);
    let mut compared = false;
    let mut wrong = Vec::new();
    if let Some(Schema::PerRank(_)) = &report.schema {
        for (number, rank) in ranks(record).into_iter().enumerate() {
            let told = ["missing", "unexpected", "mismatched"].map(|name| keys(rank, name));
            let in_full = rank["verdict"] == "ok" && rank["not_loaded"] != true;
            if !in_full && told.iter().all(BTreeSet::is_empty) {
                continue;
            }
            compared = true;
            let number = rank["rank"].as_u64().unwrap_or(number as u64);
            let mut found = predicted(of_rank(report, number, world).into_iter());
            // A dict within the state dict is one key for the loader.
            for key in &told[1] {
                let inside = format!("{key}.");
                if found[1].iter().any(|found| found.starts_with(&inside)) {
                    found[1].retain(|found| !found.starts_with(&inside));
                    found[1].insert(key.clone());
                }
            }
            for (name, (told, found)) in ["missing", "unexpected", "mismatched"].iter().zip(told.iter().zip(&found)) {
                if let Some(text) = apart(told, found) {
                    wrong.push(format!("rank {number} {name}: {text}"));
                }
            }
            if rank["second_try"] == true || in_full {
                let untouched = keys(rank, "untouched_params");
                let left: BTreeSet<String> = found[0].iter().filter(|key| !is_state(key)).cloned().collect();
                // Nothing can be seen to be left alone in a tensor without elements.
                let zero_sized = untouched.is_empty()
                    && report.diff.parts.iter().all(|part| {
                        part.missing.iter().all(|(_, t)| t.shape.as_ref().is_none_or(|shape| shape.contains(&0)))
                    });
                if let Some(text) = apart(&untouched, &left).filter(|_| rank["untouched_all"] != true && !zero_sized) {
                    wrong.push(format!("rank {number} untouched: {text}"));
                }
            }
        }
    } else {
        let [missing, unexpected, mismatched] = predicted(report.diff.parts.iter());
        let told = |name: &str| ranks(record).into_iter().any(|rank| !rank[name].is_null());
        let all = |name| {
            let keys = ranks(record).into_iter().flat_map(|rank| keys(rank, name));
            keys.filter(|key| !NOT_THE_MODELS.contains(&key.as_str())).collect::<BTreeSet<_>>()
        };
        for (name, found) in [("global_missing", &missing), ("global_unexpected", &unexpected)] {
            if told(name) {
                compared = true;
                wrong.extend(apart(&all(name), found).map(|text| format!("{name}: {text}")));
            }
        }
        for (name, found) in [("first_missing", &missing), ("first_mismatched", &mismatched)] {
            for rank in ranks(record) {
                if let Some(key) = rank[name].as_str() {
                    compared = true;
                    if !found.contains(key) {
                        wrong.push(format!("{name}: {key} is not predicted"));
                    }
                }
            }
        }
    }
    compared.then(|| if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) })
}

fn apart(told: &BTreeSet<String>, found: &BTreeSet<String>) -> Option<String> {
    let first = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        let rest: Vec<_> = a.difference(b).collect();
        rest.first().map_or_else(|| "none".to_owned(), |key| format!("{} as {key}", rest.len()))
    };
    (told != found).then(|| format!("only recorded {}, only predicted {}", first(told, found), first(found, told)))
}

fn judge(tag: &str, record: &Json, checkpoints: &Path, count: &mut Count) -> Option<String> {
    let checkpoint = checkpoints.join(record["ckpt_dir"].as_str().expect("a directory"));
    // No launch asks for `load_checkpoint(strict=False)`; of some tags not every checkpoint was kept.
    if record["strict"] == false || !checkpoint.is_dir() {
        return None;
    }
    let at = tempfile::tempdir().expect("a temporary directory");
    lay_out(&checkpoint, record, at.path());
    let refused = record["verdict"] == "failed";
    let report = match check(&request(tag, record, at.path())) {
        Ok(report) => report,
        Err(error) => {
            count.pairs += 1;
            return Some(format!("{} ({}): cannot be judged: {error}", record["verdict"], record["error"]));
        }
    };
    if refused {
        count.refused += 1;
        count.refused_as_such += usize::from(report.outcome == Outcome::Fails);
        return None;
    }
    count.pairs += 1;
    let (ended, left_out) = ended(record, &report);
    count.left_out += usize::from(left_out);
    count.told(record, &report);
    if std::env::var_os("PAIRS_SHOW").is_some() {
        let style = moe_lint::report::style::Style { width: 100, unicode: false, color: false };
        println!("{}\n{}", record["argv"], moe_lint::report::human::check(&report, style));
    }
    let mut wrong = diagnoses::broken_laws(&report);
    if ended == report.outcome {
        count.outcomes += 1;
    } else {
        let stages: Vec<String> =
            report.stages.iter().map(|s| format!("{} {}: {}", s.name, s.verdict.name(), s.message)).collect();
        let undetermined: Vec<String> =
            report.undetermined.iter().map(|u| format!("{}: {}", u.name, u.reason)).collect();
        wrong.push(format!(
            "{} expected, {} predicted; recorded {} {}; {}",
            ended.name(),
            report.outcome.name(),
            record["error_type"],
            record["error"],
            [stages, undetermined, report.rejected.iter().map(|r| r.message.clone()).collect()].concat().join(" | ")
        ));
    }
    match key_sets(record, &report) {
        None => {}
        Some(Ok(())) => {
            count.key_sets += 1;
            count.key_sets_equal += 1;
        }
        Some(Err(text)) => {
            count.key_sets += 1;
            wrong.push(text);
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("\n      "))
}

#[test]
fn pairs() {
    let only = std::env::var("PAIRS_ONLY").unwrap_or_default();
    let wanted: Vec<&str> = only.split(' ').collect();
    let checkpoints = tempfile::tempdir().expect("a temporary directory");
    support::unpack_from(&folder(), checkpoints.path());
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).expect("pairs").map(|e| e.expect("an entry").path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".jsonl.gz"));
    files.sort();
    let mut failures: BTreeMap<String, Vec<Differing>> = BTreeMap::new();
    for path in files {
        let tag = path.file_name().and_then(|n| n.to_str()).expect("a name").trim_end_matches(".jsonl.gz").to_owned();
        let results: Vec<(Count, Option<Differing>)> = lines(&path)
            .par_iter()
            .filter(|record| {
                let name = format!("{tag}/{}", record["name"].as_str().expect("a name"));
                wanted.iter().all(|part| name.contains(part))
            })
            .map(|record| {
                let mut count = Count::default();
                let version = tag.trim_start_matches("random-");
                let wrong = judge(version, record, &checkpoints.path().join(stored(&tag)), &mut count);
                (count, wrong.map(|text| (record["name"].as_str().expect("a name").to_owned(), text)))
            })
            .collect();
        let mut count = Count::default();
        for (one, wrong) in results {
            count.pairs += one.pairs;
            count.outcomes += one.outcomes;
            count.left_out += one.left_out;
            count.refused += one.refused;
            count.refused_as_such += one.refused_as_such;
            count.key_sets += one.key_sets;
            count.key_sets_equal += one.key_sets_equal;
            count.bad += one.bad;
            count.explained += one.explained;
            count.curable += one.curable;
            for (rule, (times, cured, example)) in one.rules {
                let told = count.rules.entry(rule).or_default();
                *told = (told.0 + times, told.1 + cured, example);
            }
            failures.entry(tag.clone()).or_default().extend(wrong);
        }
        println!(
            "{tag}: outcomes {}/{} ({} left out unseen), key sets {}/{}, refused launches {}/{}",
            count.outcomes,
            count.pairs,
            count.left_out,
            count.key_sets_equal,
            count.key_sets,
            count.refused_as_such,
            count.refused
        );
        println!(
            "  causes are named for {} of {} that do not load, a cure for {}",
            count.explained, count.bad, count.curable
        );
        for (rule, (times, cured, example)) in &count.rules {
            println!("  {times:>5} {cured:>5} {rule:<24} {example}");
        }
    }
    let mut wrong = Vec::new();
    for (tag, name, text) in failures.iter().flat_map(|(t, f)| f.iter().map(move |(n, text)| (t, n, text))) {
        if !KNOWN.iter().any(|(known, _)| known == name) || text.contains(" predicted; ") {
            wrong.push(format!("{tag} {name}\n      {text}"));
        }
    }
    for (known, _) in KNOWN {
        let differs = failures.values().flatten().any(|(name, _)| name == known);
        assert!(differs || !only.is_empty(), "{known} is predicted: it is no longer a known difference");
    }
    assert!(wrong.is_empty(), "{} pairs differ:\n  {}", wrong.len(), wrong.join("\n  "));
}
