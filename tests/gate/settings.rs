//! `moe-lint.toml`, `moe-lint init` and the baseline.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{CASE, SEQUENTIAL, path, run, text};

/// A repository with the launch of the founding case, a launch that loads, and the snapshot of a checkpoint.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(directory.path().join("train/old")).expect("a folder");
        let script = fs::read_to_string(format!("{CASE}/train_mixtral.sh")).expect("the script");
        let here = Self(directory);
        here.write("train/grouped.sh", &script);
        here.write("train/old/grouped.sh", &script);
        here.write("train/sequential.sh", &script.replace("    --moe-grouped-gemm\n", ""));
        here.write("setup.sh", "#!/bin/bash\necho hello\n");
        run(&["snapshot", SEQUENTIAL, "-o", path(&here.0.path().join("mixtral.moe-lint.json"))]);
        here
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.0.path().join(name), content).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("a file")
    }

    fn run_in(&self, folder: &str, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
        command.args(words).current_dir(self.0.path().join(folder)).env_clear().env("LANG", "C.UTF-8");
        command.output().expect("it starts")
    }

    fn run(&self, words: &[&str]) -> Output {
        self.run_in("", words)
    }
}

const SETTINGS: &str = r#"
megatron = "0.8.0"
te = "1.7"
exclude = ["train/old/**"]

[[target]]
launch = ["train/*.sh"]
checkpoint = "mixtral.moe-lint.json"
"#;

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> &str {
    text(&output.stdout)
}

fn err(output: &Output) -> &str {
    text(&output.stderr)
}

#[test]
fn all_targets_are_checked_from_anywhere_below() {
    let here = Repository::new();
    here.write("moe-lint.toml", SETTINGS);
    for folder in ["", "train", "train/old"] {
        let output = here.run_in(folder, &["check"]);
        assert_eq!(code(&output), Some(1), "{folder}: {}", err(&output));
        assert!(out(&output).ends_with("2 launches: 1 loads, 1 fails\n"), "{}", out(&output));
        assert!(out(&output).contains("grouped.sh") && out(&output).contains("sequential.sh"));
    }
    assert!(out(&here.run(&["check"])).contains("[train/grouped.sh:42:5]"), "paths start here");
}

#[test]
fn named_files_are_checked_and_excludes_honoured() {
    let here = Repository::new();
    here.write("moe-lint.toml", SETTINGS);
    assert_eq!(code(&here.run(&["check", "train/sequential.sh"])), Some(0));
    assert_eq!(code(&here.run(&["check", "train/grouped.sh"])), Some(1));
    let output = here.run(&["check", "train/old/grouped.sh"]);
    assert_eq!(code(&output), Some(0));
    assert!(err(&output).contains("train/old/grouped.sh is excluded by moe-lint.toml"), "{}", err(&output));
    // As pre-commit calls it: whatever was changed.
    let of = |files: &[&str]| here.run(&[&["check", "--only-targets"], files].concat());
    assert_eq!(code(&of(&["setup.sh", "train/old/grouped.sh", "train/sequential.sh"])), Some(0));
    assert_eq!(code(&of(&["setup.sh", "train/grouped.sh"])), Some(1));
    for changed in ["moe-lint.toml", "mixtral.moe-lint.json"] {
        assert!(out(&of(&[changed])).ends_with("2 launches: 1 loads, 1 fails\n"), "{changed}");
    }
    // A launch that no target names is judged by what holds for all; a script that trains nothing is none.
    assert_eq!(code(&here.run(&["check", "setup.sh"])), Some(2));
    let output = Repository::new().run(&["check", "--only-targets", "train/sequential.sh"]);
    assert_eq!(code(&output), Some(2), "without targets nothing would ever be checked");
}

#[test]
fn what_is_typed_wins_and_settings_can_be_left_out() {
    let here = Repository::new();
    here.write("moe-lint.toml", SETTINGS);
    here.write("other.toml", &SETTINGS.replace("0.8.0", "0.12.0"));
    let version = |words: &[&str]| {
        let output = here.run(&[&["check", "train/sequential.sh", "--format", "json"], words].concat());
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        document["framework"]["version"].as_str().expect("a version").to_owned()
    };
    assert_eq!(version(&[]), "0.8.0");
    assert_eq!(version(&["--megatron", "0.9.0"]), "0.9.0");
    assert_eq!(version(&["--config", "other.toml"]), "0.12.0");
    assert_ne!(version(&["--isolated", "--checkpoint", "mixtral.moe-lint.json"]), "0.8.0");
}

#[test]
fn the_environment_and_arguments_of_a_target() {
    let here = Repository::new();
    let script = here.read("train/sequential.sh");
    let script = script.replace("    --moe-router-topk 2", "    --moe-router-topk $TOPK --seed ${1}");
    here.write("train/sequential.sh", &script);
    let target = r#"
        megatron = "0.8.0"
        te = "1.7"
        env = { TOPK = "1", OTHER = "x" }
        [[target]]
        launch = ["train/sequential.sh"]
        checkpoint = "mixtral.moe-lint.json"
        env = { TOPK = "2" }
        args = ["1234"]
    "#;
    here.write("moe-lint.toml", target);
    let output = here.run(&["check", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let argv: Vec<&str> =
        document["launch"]["argv"].as_array().expect("words").iter().filter_map(|w| w.as_str()).collect();
    let after = |flag: &str| argv.iter().skip_while(|word| **word != flag).nth(1).copied();
    assert_eq!((after("--moe-router-topk"), after("--seed")), (Some("2"), Some("1234")), "{argv:?}");
}

#[test]
fn wrong_settings_are_told_with_place_and_suggestion() {
    let here = Repository::new();
    for (settings, says) in [
        ("megatrn = \"0.8.0\"", &["line 1", "did you mean `megatron`?"][..]),
        ("[[target]]\nlaunch = [\"a\"]\nchekpoint = \"x\"", &["line 3", "did you mean `checkpoint`?"]),
        ("megatron = \"new\"", &["line 1", "expected a version"]),
        ("te = 3", &["line 1", "expected a string"]),
        ("[severity]\nexpert-layout = \"eror\"", &["line 2", "did you mean `error`?"]),
        ("[[ignore]]\nrule = \"x\"", &["missing field `reason`"]),
        ("[[ignore]]\nrule = \"x\"\nreason = \" \"", &["line 3", "say why"]),
        ("exclude = [\"{\"]", &["`{` is no glob"]),
        ("[[target]]\ncheckpoint = \"x\"", &["missing field `launch`"]),
    ] {
        here.write("moe-lint.toml", settings);
        let output = here.run(&["check"]);
        assert_eq!(code(&output), Some(2), "{settings}");
        for says in says {
            assert!(err(&output).contains(says), "{settings}\n{}", err(&output));
        }
        assert!(err(&output).starts_with("error: moe-lint.toml: "), "{}", err(&output));
    }
    here.write("moe-lint.toml", "[[target]]\nlaunch = [\"none/*.sh\"]\n");
    assert_eq!(code(&here.run(&["check"])), Some(2), "targets that match nothing are no pass");
}

#[test]
fn what_is_accepted_with_a_reason_passes_and_says_so() {
    let here = Repository::new();
    let ignore = "\n[[ignore]]\nrule = \"expert-layout\"\nlaunch = [\"train/g*.sh\"]\nreason = \"retired in May\"\n";
    here.write("moe-lint.toml", &format!("{SETTINGS}{ignore}"));
    let output = here.run(&["check"]);
    assert_eq!(code(&output), Some(0), "{}", out(&output));
    assert!(out(&output).contains("accepted [expert-layout]: retired in May"), "{}", out(&output));
    assert_eq!(err(&output), "");
    let sarif: serde_json::Value =
        serde_json::from_slice(&here.run(&["check", "--format", "sarif"]).stdout).expect("JSON");
    let suppression = &sarif["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(suppression["justification"], "retired in May");
    // One that matches nothing is told; it may not hide what comes later.
    here.write("moe-lint.toml", &format!("{SETTINGS}{}", ignore.replace("train/g*.sh", "train/x*.sh")));
    let output = here.run(&["check"]);
    assert_eq!(code(&output), Some(1));
    assert!(err(&output).contains("the ignore of `expert-layout` matches nothing"), "{}", err(&output));
}

#[test]
fn an_outcome_that_cannot_be_told_is_never_accepted() {
    let here = Repository::new();
    let unknown = here.read("train/sequential.sh").replace("--num-layers 4", "--num-layers $LAYERS");
    assert!(unknown.contains("$LAYERS"));
    here.write("train/sequential.sh", &unknown);
    here.write("moe-lint.toml", &format!("{SETTINGS}\n[[ignore]]\nrule = \"undetermined\"\nreason = \"no\"\n"));
    assert_eq!(code(&here.run(&["check", "train/sequential.sh"])), Some(2));
    assert_eq!(code(&here.run(&["check", "--write-baseline"])), Some(2));
    assert_eq!(code(&here.run(&["check", "train/sequential.sh"])), Some(2));
}

#[test]
fn rules_that_do_not_exist_are_not_accepted_silently() {
    let here = Repository::new();
    for said in ["[severity]\nexpert-layuot = \"info\"\n", "[[ignore]]\nrule = \"expert-layuot\"\nreason = \"x\"\n"] {
        here.write("moe-lint.toml", &format!("{SETTINGS}\n{said}"));
        let output = here.run(&["check"]);
        assert_eq!(code(&output), Some(2));
        assert!(err(&output).contains("did you mean `expert-layout`?"), "{}", err(&output));
    }
}

#[test]
fn severities_are_chosen() {
    let here = Repository::new();
    here.write("moe-lint.toml", &format!("{SETTINGS}\n[severity]\nexpert-layout = \"warning\"\n"));
    let output = here.run(&["check", "train/grouped.sh"]);
    assert!(out(&output).contains("warning[expert-layout]"), "{}", out(&output));
    assert_eq!(code(&output), Some(1), "an outcome cannot be tuned away");
}

#[test]
fn a_baseline_lets_only_new_findings_stop() {
    let here = Repository::new();
    here.write("moe-lint.toml", &format!("baseline = \"known.json\"\n{SETTINGS}"));
    assert_eq!(code(&here.run(&["check"])), Some(1), "a baseline that is not there accepts nothing");
    let output = here.run(&["check", "--write-baseline"]);
    assert_eq!(code(&output), Some(0), "{}", out(&output));
    insta::assert_snapshot!("baseline", here.read("known.json"));
    assert_eq!(code(&here.run(&["check"])), Some(0));
    assert_eq!(code(&here.run_in("train", &["check", "grouped.sh"])), Some(0), "whatever the directory");
    // Lines move and blanks change: still the same finding.
    here.write(
        "train/grouped.sh",
        &here.read("train/grouped.sh").replace("    --moe-grouped-gemm", "\n      --moe-grouped-gemm"),
    );
    assert_eq!(code(&here.run(&["check"])), Some(0));
    // The same fault elsewhere is a new one.
    here.write("train/third.sh", &here.read("train/grouped.sh"));
    assert_eq!(code(&here.run(&["check"])), Some(1));
    // What is gone is told.
    fs::remove_file(here.0.path().join("train/third.sh")).expect("a file");
    here.write("train/grouped.sh", &here.read("train/sequential.sh"));
    let output = here.run(&["check"]);
    assert_eq!(code(&output), Some(0));
    assert!(err(&output).contains("the baseline's `expert-layout` in train/grouped.sh does not occur any more"));
    here.write("known.json", "{}");
    assert_eq!(code(&here.run(&["check"])), Some(2));
}

#[test]
fn json_tells_each_launch_in_a_line_of_its_own() {
    let here = Repository::new();
    here.write("moe-lint.toml", SETTINGS);
    here.write("train/none.sh", "echo nothing to train\n");
    let output = here.run(&["check", "--format", "json"]);
    assert_eq!(code(&output), Some(2), "the worst of all counts");
    let lines: Vec<&str> = out(&output).lines().collect();
    assert_eq!(lines.len(), 3);
    let schema = |name: &str| {
        let text =
            fs::read_to_string(format!("{}/docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"))).expect("a schema");
        jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a JSON schema")
    };
    let (report, failure) = (schema("check"), schema("not-checked"));
    for line in lines {
        let document: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let is_failure = document["launch"]["source"] == "train/none.sh";
        assert_eq!((report.is_valid(&document), failure.is_valid(&document)), (!is_failure, is_failure), "{line}");
    }
}

#[test]
fn init_writes_settings_that_work() {
    let here = Repository::new();
    let output = here.run(&["init"]);
    assert_eq!(code(&output), Some(0), "{}", err(&output));
    assert_eq!(out(&output), "./moe-lint.toml: 3 launches\n");
    insta::assert_snapshot!("init", here.read("moe-lint.toml"));
    let output = here.run(&["check", "--megatron", "0.8.0", "--te", "1.7"]);
    assert_eq!(code(&output), Some(1));
    assert!(out(&output).ends_with("3 launches: 1 loads, 2 fails\n"), "{}", out(&output));
    let output = here.run(&["init"]);
    assert_eq!(code(&output), Some(2), "what is there is not overwritten");
    assert!(Path::new(CASE).is_dir());
}

#[test]
fn the_json_schema_of_the_settings_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/moe-lint.toml.json");
    let schema = moe_lint::settings::schema();
    let now = format!("{}\n", serde_json::to_string_pretty(&schema).expect("JSON"));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, &now).expect("a file");
    }
    assert_eq!(fs::read_to_string(file).unwrap_or_default(), now, "run the tests with UPDATE=1");
    let validator = jsonschema::validator_for(&schema).expect("a JSON schema");
    let good: toml::Value = toml::from_str(SETTINGS).expect("TOML");
    assert!(validator.is_valid(&serde_json::to_value(&good).expect("JSON")));
    let bad: toml::Value = toml::from_str("megatrn = 1").expect("TOML");
    assert!(!validator.is_valid(&serde_json::to_value(&bad).expect("JSON")));
}
