//! Every cause against its own case: `tests/cases/<cause>/case.toml` names a launch that saved, what happened to the
//! checkpoint since, and a launch that loads it. The checkpoint's headers are made of what the saving launch builds.

#[path = "support/diagnoses.rs"]
#[allow(dead_code)]
mod diagnoses;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use moe_lint::check::{Input, Machine, Request, check};
use moe_lint::checkpoint::locate::Content;
use moe_lint::checkpoint::{Checkpoint, ChosenBy, Coordinates, Format, Iteration, Location, Part, Tracker, snapshot};
use moe_lint::launch::Word;
use moe_lint::report::style::Style;
use moe_lint::report::{Report, human};
use moe_lint::rules::causes::{self, KeyPattern};
use moe_lint::rules::flags::FlagTable;
use moe_lint::rules::value::Value;
use moe_lint::schema::{Builder, Schema};
use moe_lint::tensor::{Dtype, Inventory, Tensor};
use moe_lint::text::Located;
use moe_lint::training::{Installed, TrainingConfig, configure};
use serde::Deserialize;

const BASE: &str = "--num-layers 4 --hidden-size 64 --num-attention-heads 4 --ffn-hidden-size 128 --seq-length 8 \
                    --max-position-embeddings 8 --micro-batch-size 1 --train-iters 1 --lr 1e-4 --bf16 --mock-data \
                    --tokenizer-type NullTokenizer --no-load-optim --no-load-rng";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "megatron")]
    megatron: String,
    #[serde(default = "te")]
    te: String,
    #[serde(default = "torch")]
    format: String,
    /// The flags of the launch that saved, behind those of [`BASE`].
    #[serde(default)]
    saved: String,
    /// The flags of the launch that loads; without, those that saved.
    launch: Option<String>,
    #[serde(default)]
    world_size: Option<u64>,
    /// Whether the checkpoint holds the arguments that saved it.
    #[serde(default = "yes")]
    arguments: bool,
    #[serde(default)]
    change: Change,
    /// In place of a checkpoint: files below `--load`, by path.
    files: Option<BTreeMap<String, String>>,
    /// Below that, what `--load` names.
    #[serde(default)]
    load: String,
    outcome: String,
    /// Other rules that speak too, with good reason.
    #[serde(default)]
    also: Vec<String>,
    /// A part of the message.
    says: String,
    /// The title of a way out that is proven.
    cure: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    /// Key patterns that go.
    drop: Vec<String>,
    /// A text in front of keys that becomes another one.
    rename: Vec<(String, String)>,
    /// A piece of keys that becomes another one.
    replace: Vec<(String, String)>,
    /// Keys with shape and dtype that come.
    add: BTreeMap<String, (Vec<u64>, String)>,
    /// Key patterns whose tensors have another dtype.
    dtype: BTreeMap<String, String>,
    /// Key patterns whose tensors have another size on an axis.
    size: BTreeMap<String, (usize, u64)>,
    /// Saved arguments that were others, in Python's words.
    argument: BTreeMap<String, toml::Value>,
    /// Classes that the pickles name.
    globals: Vec<String>,
}

fn megatron() -> String {
    "0.15".to_owned()
}
fn te() -> String {
    "2.8".to_owned()
}
fn torch() -> String {
    "torch".to_owned()
}
fn yes() -> bool {
    true
}

fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("cases") {
        let path = entry.expect("an entry").path();
        let Ok(text) = fs::read_to_string(path.join("case.toml")) else { continue };
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let rule = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        found.extend(file.case.into_iter().map(|case| (rule.clone(), case)));
    }
    found.sort_by(|a, b| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)));
    found
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn configured(case: &Case) -> TrainingConfig {
    let version = case.megatron.parse().expect("a version");
    let parser = FlagTable::load().expect("flags").parser(&version);
    let argv: Vec<Word> =
        words(&format!("{BASE} {}", case.saved)).into_iter().map(|word| Located::nowhere(Ok(word))).collect();
    let world = case.world_size.map_or(Value::Int(1), |n| Value::Int(i64::try_from(n).expect("small")));
    let installed =
        Installed { framework: version, transformer_engine: Some(case.te.parse().expect("a version")), apex: true };
    configure(&parser, &argv, world, installed).expect("a configuration")
}

fn patterns(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<KeyPattern> {
    texts.into_iter().map(|text| KeyPattern::parse("case", text.as_ref()).expect("a pattern")).collect()
}

fn changed(inventory: &Inventory, change: &Change) -> Inventory {
    let drop = patterns(&change.drop);
    let mut out = Inventory::new();
    for (key, tensor) in inventory.iter().filter(|(key, _)| !drop.iter().any(|pattern| pattern.matches(key))) {
        let mut key = key.to_string();
        let mut tensor = tensor.clone();
        for (pattern, name) in &change.dtype {
            if patterns([pattern])[0].matches(&key) {
                tensor.dtype = Some(Dtype::new(name));
            }
        }
        for (pattern, (axis, size)) in &change.size {
            if patterns([pattern])[0].matches(&key) {
                tensor.shape.as_mut().expect("a shape")[*axis] = *size;
            }
        }
        for (from, to) in &change.rename {
            key = key.strip_prefix(from.as_str()).map_or(key.clone(), |rest| format!("{to}{rest}"));
        }
        for (from, to) in &change.replace {
            key = key.replace(from.as_str(), to);
        }
        out.insert(key, Tensor { optional: false, ..tensor });
    }
    for (key, (shape, dtype)) in &change.add {
        out.insert(key.clone(), Tensor::tensor(shape.clone(), Dtype::new(dtype)));
    }
    out
}

/// The checkpoint that the saving launch would have written, after what happened to it.
fn checkpoint(case: &Case) -> Checkpoint {
    let config = configured(case);
    assert!(config.rejected.is_none(), "{}: the saving launch is refused: {:?}", case.name, config.rejected);
    let builder = Builder::new(&config).expect("a builder");
    let built = match case.format.as_str() {
        "torch" => builder.per_rank(&config),
        _ => builder.global(&config),
    };
    let built = built.expect("a schema");
    assert!(built.unknown.is_empty(), "{}: {:?}", case.name, built.unknown);
    let part = |file: &str, coordinates, chunks| Part {
        file: file.into(),
        coordinates,
        chunks,
        other: Inventory::new(),
        values: BTreeMap::new(),
        globals: case.change.globals.clone(),
    };
    let (format, mut parts) = match &built.schema {
        Schema::Global(inventory) => {
            (Format::TorchDist, vec![part(".metadata", None, vec![changed(inventory, &case.change)])])
        }
        Schema::PerRank(ranks) => {
            let of_rank = |rank: &moe_lint::schema::Rank| {
                let at = rank.coordinates;
                let at = Coordinates { tp: at.tp, pp: Some(at.pp), ep: Some(at.ep) };
                part(&rank.file, Some(at), rank.chunks.iter().map(|chunk| changed(chunk, &case.change)).collect())
            };
            (Format::Torch, ranks.iter().map(of_rank).collect())
        }
    };
    parts.sort_by(|a: &Part, b| a.file.cmp(&b.file));
    parts.dedup_by(|a, b| a.file == b.file);
    let mut saved: BTreeMap<String, Value> = config
        .values
        .own()
        .filter(|(_, value)| is_plain(value))
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    for (name, value) in &case.change.argument {
        saved.insert(name.clone(), python(value));
    }
    Checkpoint {
        root: PathBuf::from("ckpt"),
        directory: PathBuf::from("ckpt/iter_0000010"),
        format,
        iteration: Some(Iteration::Step(10)),
        saved_args: case.arguments.then_some(saved),
        parts,
        notes: Vec::new(),
        problems: Vec::new(),
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Unknown(_) | Value::Version(_) => false,
        Value::List(items) => items.iter().all(is_plain),
        _ => true,
    }
}

fn python(value: &toml::Value) -> Value {
    match value {
        toml::Value::Integer(n) => Value::Int(*n),
        toml::Value::Boolean(b) => Value::Bool(*b),
        toml::Value::Float(x) => Value::Float(*x),
        toml::Value::String(text) if text == "None" => Value::None,
        toml::Value::String(text) => Value::str(text),
        toml::Value::Array(items) => Value::List(items.iter().map(python).collect()),
        other => panic!("{other} is no argument"),
    }
}

fn location() -> Location {
    Location {
        root: PathBuf::from("ckpt"),
        is_file: false,
        root_exists: true,
        tracker: Tracker::Step(10),
        iteration: Some(Iteration::Step(10)),
        chosen_by: Some(ChosenBy::Tracker),
        folder: Some("iter_0000010".to_owned()),
        folder_exists: true,
        present: vec!["iter_0000010".to_owned()],
        newest: Some("10".to_owned()),
        names: vec!["iter_0000010".to_owned(), "latest_checkpointed_iteration.txt".to_owned()],
        content: Content::default(),
    }
}

fn request(case: &Case, flags: &str, checkpoint: Option<PathBuf>) -> Request {
    let mut argv = vec!["pretrain_gpt.py".to_owned()];
    argv.extend(words(&format!("{BASE} {flags}")));
    Request {
        input: Input::Words(argv),
        machine: Machine {
            framework: Some(case.megatron.parse().expect("a version")),
            te: Some(Some(case.te.parse().expect("a version"))),
            apex: true,
            world_size: Some(case.world_size.unwrap_or(1)),
            tokenizer_size: None,
            told_by: None,
            env: Vec::new(),
        },
        checkpoint,
        command: None,
    }
}

fn judged(case: &Case, flags: &str, at: &Path) -> Report {
    let request = match &case.files {
        Some(files) => {
            for (path, content) in files {
                let path = at.join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, content).expect("a file");
            }
            request(case, &format!("{flags} --load {}", at.join(&case.load).display()), None)
        }
        None => {
            let path = at.join("ckpt.moe-lint.json");
            fs::write(&path, snapshot::write(&checkpoint(case), &location())).expect("a snapshot");
            request(case, flags, Some(path))
        }
    };
    check(&request).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

fn wrong(rule: &str, case: &Case, report: &Report) -> Vec<String> {
    let mut wrong = diagnoses::broken_laws(report);
    let told: BTreeSet<&str> = report.diagnoses.iter().map(|one| one.rule.as_str()).collect();
    let wanted: BTreeSet<&str> = case.also.iter().map(String::as_str).chain([rule]).collect();
    let told: BTreeSet<&str> =
        told.into_iter().filter(|told| *told != "extra-state" || wanted.contains(told)).collect();
    if told != wanted {
        wrong.push(format!("told are {told:?}, wanted {wanted:?}"));
    }
    if report.outcome.name() != case.outcome {
        wrong.push(format!("it ends as {}, not as {}", report.outcome.name(), case.outcome));
    }
    if let Some(one) = report.diagnoses.iter().find(|one| one.rule == rule) {
        if !one.message.contains(&case.says) {
            wrong.push(format!("it says `{}`, not `{}`", one.message, case.says));
        }
        let cures: Vec<&str> = one.fixes.iter().filter(|fix| fix.proven()).map(|fix| fix.title.as_str()).collect();
        if case.cure.as_ref().is_some_and(|cure| !cures.contains(&cure.as_str())) {
            wrong.push(format!("proven ways out are {cures:?}, not {:?}", case.cure));
        }
    }
    wrong
}

#[test]
fn each_cause_names_its_case() {
    let mut failures = Vec::new();
    let cases = cases();
    for (rule, case) in &cases {
        let at = tempfile::tempdir().expect("a folder");
        let report = judged(case, case.launch.as_ref().unwrap_or(&case.saved), at.path());
        let wrong = wrong(rule, case, &report);
        if !wrong.is_empty() {
            let style = Style { width: 100, unicode: false, color: false };
            failures.push(format!("{rule}: {}\n  {}\n{}", case.name, wrong.join("\n  "), human::check(&report, style)));
        }
    }
    println!("{} cases", cases.len());
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn what_was_saved_loads_and_no_cause_speaks() {
    for (rule, mut case) in cases() {
        if case.files.is_some() {
            continue;
        }
        case.change = Change::default();
        let at = tempfile::tempdir().expect("a folder");
        let report = judged(&case, &case.saved, at.path());
        let told: Vec<&str> = report.diagnoses.iter().map(|one| one.rule.as_str()).collect();
        assert!(told.is_empty(), "{rule}: {}: {told:?}, it {}", case.name, report.outcome.name());
    }
}

#[test]
fn every_cause_has_a_case_and_every_case_a_cause() {
    let with_case: BTreeSet<String> = cases().into_iter().map(|(rule, _)| rule).collect();
    let causes = causes::all().expect("the causes");
    for rule in &with_case {
        assert!(causes.iter().any(|cause| cause.name == *rule), "{rule} is no cause");
    }
    let without: Vec<&str> = causes
        .iter()
        .filter(|cause| cause.has_cases() && !with_case.contains(&cause.name))
        .map(|cause| &*cause.name)
        .collect();
    let known: BTreeSet<&str> = WITHOUT_CASE.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(without.into_iter().collect::<BTreeSet<_>>(), known);
}

/// Causes whose case stands elsewhere, and where.
const WITHOUT_CASE: &[(&str, &str)] = &[
    ("learning-rate-kept", OPTIMIZER),
    ("optimizer-absent", OPTIMIZER),
    ("optimizer-experts", OPTIMIZER),
    ("optimizer-experts-mixed", OPTIMIZER),
    ("optimizer-groups", OPTIMIZER),
    ("optimizer-kind", OPTIMIZER),
    ("optimizer-precision", OPTIMIZER),
    ("optimizer-resharding", OPTIMIZER),
    ("optimizer-settings-kept", OPTIMIZER),
    ("optimizer-sharding", OPTIMIZER),
    ("optimizer-size", OPTIMIZER),
    ("rng-absent", OPTIMIZER),
    ("schedule-restarts", OPTIMIZER),
    ("scheduler-differs", OPTIMIZER),
];

const OPTIMIZER: &str = "no case folder yet; tests/optimizer.rs holds the recorded loads against the rules";

/// What people read of the most important causes.
const SHOWN: &[(&str, &str)] = &[
    ("expert-layout", "sequential to TEGroupedMLP, silent since 0.13"),
    ("experts-dropped", "a converter skipped two experts of a layer, silent since 0.13"),
    ("one-rank-experts", "torch_dist with a quarter of the experts"),
    ("router-expert-bias", "dropped without a word"),
    ("shared-experts", "dropped"),
    ("moe-layers", "dense first layer, forgotten list"),
    ("layer-stacking", "the checkpoint has dense and MoE layers"),
    ("layer-count", "dropped without a word"),
    ("parallel-layout", "EP 2 saved, EP 4 launched"),
    ("tensor-parallel", "found by finetuning"),
    ("output-head", "a saved head dropped"),
    ("vocabulary", "another tensor-parallel size, torch_dist: only the rows that both have"),
    ("query-groups", "groups without the flag that makes them count"),
    ("qk-layernorm", "dropped"),
    ("transformer-impl", "the norm in front of experts, torch_dist"),
    ("normalization", "biases that were never saved"),
    ("legacy-names", "a legacy model"),
    ("key-prefix", "module. of a wrapper"),
    ("quantised", "scales of fp8 blocks"),
    ("strictness", "silenced"),
    ("tracker-missing", "iterations without a tracker"),
    ("wrong-artefact", "a Hugging Face directory"),
    ("rotary-embedding", "the base"),
];

/// The launch as a script, an option a line.
fn script(flags: &str) -> String {
    let mut text = "#!/bin/bash\n\nARGS=(\n".to_owned();
    let mut line = String::new();
    for word in words(&format!("{BASE} {flags}")) {
        if word.starts_with("--") && !line.is_empty() {
            text.push_str(&format!("    {line}\n"));
            line.clear();
        }
        let quoted = if word.contains(['(', '*']) { format!("'{word}'") } else { word };
        line = if line.is_empty() { quoted } else { format!("{line} {quoted}") };
    }
    text.push_str(&format!(
        "    {line}\n)\n\ntorchrun --nproc_per_node ${{GPUS:-1}} pretrain_gpt.py \"${{ARGS[@]}}\"\n"
    ));
    text
}

#[test]
fn what_people_read_of_the_most_important_causes() {
    let cases = cases();
    for (rule, name) in SHOWN {
        let (_, case) = cases.iter().find(|(of, case)| of == rule && case.name == *name).expect("a case");
        let at = tempfile::tempdir().expect("a folder");
        let load = at.path().join(&case.load).display().to_string();
        let flags = case.launch.as_ref().unwrap_or(&case.saved);
        let flags = if case.files.is_some() { format!("{flags} --load {load}") } else { flags.clone() };
        let first = judged(case, case.launch.as_ref().unwrap_or(&case.saved), at.path());
        let checkpoint = case.files.is_none().then(|| at.path().join("ckpt.moe-lint.json"));
        let input = Input::Script {
            path: "train.sh".into(),
            text: script(&flags.replace(&load, "CHECKPOINT")).replace("CHECKPOINT", &load),
            env: Vec::new(),
            args: Vec::new(),
        };
        let mut report = check(&Request { input, ..request(case, "", checkpoint) }).expect("a report");
        assert_eq!(report.outcome, first.outcome, "{rule}: as a script");
        report.elapsed = std::time::Duration::ZERO;
        for width in [80, 120] {
            let text = human::check(&report, Style { width, unicode: true, color: false }).replace(&load, "CHECKPOINT");
            assert!(text.lines().count() <= 60, "{rule} does not fit:\n{text}");
            let _guard = settings().bind_to_scope();
            insta::assert_snapshot!(format!("{rule}_{width}"), text);
        }
    }
}

fn moe_lint(words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    let output = command.args(words).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_rule_has_a_page_and_an_unknown_one_a_suggestion() {
    let (code, list, _) = moe_lint(&["rules", "--format", "json"]);
    assert_eq!(code, Some(0));
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let rules = list["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), causes::all().expect("the causes").len());
    for name in ["extra-state", "missing-keys", "launch-rejected", "nothing-loaded", "model-fails", "expert-layout"] {
        let (code, page, _) = moe_lint(&["explain", name]);
        assert_eq!(code, Some(0), "{name}");
        assert!(page.contains(name) && page.lines().count() > 4, "{page}");
    }
    let (code, _, error) = moe_lint(&["explain", "expert-layuot"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("did you mean `expert-layout`?"), "{error}");
}

/// The founding script with a comment before the flag that is to blame.
fn commented(comment: &str) -> (tempfile::TempDir, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/issue-924/train_mixtral.sh");
    let script = fs::read_to_string(script).expect("the script");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    let line = "    --moe-grouped-gemm\n";
    fs::write(&path, script.replace(line, &format!("    {comment}\n{line}"))).expect("written");
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn a_rule_is_ignored_by_name_and_with_a_reason() {
    let check = |script: &str, more: &[&str]| {
        moe_lint(&[&["check", script, "--megatron", "0.8", "--te", "1.7"], more].concat())
    };
    let (_folder, script) = commented("# moe-lint: ignore[expert-layout] converted by the job before");
    let (code, text, error) = check(&script, &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{text}");
    assert!(
        text.contains("fails") && text.contains("accepted") && text.contains("converted by the job before"),
        "{text}"
    );

    let (_folder, script) = commented("# moe-lint: ignore[expert-layout]");
    let (code, _, error) = check(&script, &[]);
    assert_eq!(code, Some(1));
    assert!(error.contains("gives no reason"), "{error}");

    let (_folder, script) = commented("# moe-lint: ignore[vocabulary] it was padded by hand");
    let (code, _, error) = check(&script, &[]);
    assert_eq!(code, Some(1));
    assert!(error.contains("train.sh:42: the ignore of `vocabulary` matches nothing"), "{error}");

    let (code, ..) = check(&script, &["--ignore", "expert-layout=converted by hand"]);
    assert_eq!(code, Some(0));
    let (code, _, error) = check(&script, &["--ignore", "expert-layout"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("RULE=REASON"), "{error}");
    let (code, _, error) = check(&script, &["--ignore", "expert-layot=x"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("expert-layout"), "{error}");
    // Neither what is shown nor how much it matters changes the code.
    let (code, text, _) = check(&script, &["--select", "vocabulary"]);
    assert_eq!(code, Some(1));
    assert!(!text.contains("[expert-layout]"), "{text}");
    let (code, text, _) = check(&script, &["--severity", "expert-layout=info"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("info[expert-layout]"), "{text}");
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}
