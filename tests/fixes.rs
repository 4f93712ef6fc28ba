//! Fixes in the user's own text: what is written is read again, by us and by a real bash, as exactly the words that were
//! proven; nothing else of the script changes.

// A test that is skipped says so.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use moe_lint::diagnose::{Applicability, Candidate};
use moe_lint::fix;
use moe_lint::launch::{Launch, Options, Word, read_script};
use moe_lint::rules::flags::{FlagTable, Parser};
use proptest::prelude::*;

/// What real bash starts.
fn bash(script: &str) -> Option<Vec<String>> {
    Command::new("bash").arg("--version").stdout(Stdio::null()).status().ok()?;
    let folder = tempfile::tempdir().expect("a folder");
    let stub = folder.path().join("torchrun");
    fs::write(&stub, "#!/bin/bash\n{ printf '%s\\0' \"$@\"; } >> \"$LOG\"\n").expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    let (path, log) = (folder.path().join("script.sh"), folder.path().join("log"));
    fs::write(&path, script).expect("a file");
    Command::new("bash")
        .arg(&path)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
        .env("LOG", &log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("bash runs");
    let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    Some(text.split_terminator('\0').map(str::to_owned).collect())
}

fn read(text: &str) -> Option<Launch> {
    read_script(Path::new("train.sh"), text, &Options { complete: true, ..Options::default() }).ok()
}

fn parser() -> Parser {
    FlagTable::load().expect("the flags").parser(&"0.12".parse().expect("a version"))
}

fn texts(words: &[Word]) -> Vec<String> {
    words.iter().map(|word| word.value.clone().unwrap_or_else(|unknown| format!("<{}>", unknown.name))).collect()
}

/// The script after a change, checked: our reading of it and bash's are the wanted words.
fn changed(text: &str, remove: &[&str], add: &[&str], behind: Option<&str>) -> Option<String> {
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let candidate = Candidate {
        title: String::new(),
        applicability: Applicability::Safe,
        remove: list(remove),
        add: list(add),
        behind: behind.map(str::to_owned),
        command: None,
        convert: None,
    };
    let launch = read(text).expect("a script");
    let entry = launch.training_entry().expect("a training command");
    let change = fix::change(&candidate, entry.arguments, &parser())?;
    let wanted = texts(&change.words(entry.arguments));
    let new = fix::rewrite(&launch, &change, &read)?;
    let again = read(&new).expect("a script");
    assert_eq!(texts(again.training_entry().expect("a training command").arguments), wanted, "{new}");
    if let Some(words) = bash(&new) {
        let at = words.iter().position(|word| word == "pretrain_gpt.py").expect("the script") + 1;
        assert_eq!(words[at..], wanted, "{new}");
    }
    // The edits are the same change.
    let edits = fix::edits(launch.sources.first().expect("a source"), &new);
    assert_eq!(fix::applied(text, &edits).as_deref(), Some(&*new));
    Some(new)
}

fn becomes(text: &str, remove: &[&str], add: &[&str], wanted: &str) {
    assert_eq!(changed(text, remove, add, None).as_deref(), Some(wanted), "{text}");
}

#[test]
fn options_go_with_their_lines() {
    let grouped = ["--moe-grouped-gemm"];
    becomes(
        "torchrun pretrain_gpt.py \\\n  --num-layers 2 \\\n  --moe-grouped-gemm \\\n  --bf16\n",
        &grouped,
        &[],
        "torchrun pretrain_gpt.py \\\n  --num-layers 2 \\\n  --bf16\n",
    );
    becomes(
        "torchrun pretrain_gpt.py \\\n  --num-layers 2 \\\n  --moe-grouped-gemm\necho done\n",
        &grouped,
        &[],
        "torchrun pretrain_gpt.py \\\n  --num-layers 2\necho done\n",
    );
    becomes(
        "ARGS=(\n  --num-layers 2 # few\n  --moe-grouped-gemm # fast\n)\ntorchrun pretrain_gpt.py \"${ARGS[@]}\"\n",
        &grouped,
        &[],
        "ARGS=(\n  --num-layers 2 # few\n  # fast\n)\ntorchrun pretrain_gpt.py \"${ARGS[@]}\"\n",
    );
    becomes(
        "ARGS=\"--bf16 --moe-grouped-gemm\"\ntorchrun pretrain_gpt.py $ARGS\n",
        &grouped,
        &[],
        "ARGS=\"--bf16\"\ntorchrun pretrain_gpt.py $ARGS\n",
    );
    becomes(
        "torchrun pretrain_gpt.py --num-experts \\\n  8 \\\n  --bf16\n",
        &["--num-experts"],
        &[],
        "torchrun pretrain_gpt.py \\\n  --bf16\n",
    );
    becomes(
        "E=8\ntorchrun pretrain_gpt.py --num-experts=\"$E\" --bf16",
        &["--num-experts"],
        &[],
        "E=8\ntorchrun pretrain_gpt.py --bf16",
    );
    becomes(
        "torchrun pretrain_gpt.py --num-experts=\"8\" --bf16",
        &["--num-experts"],
        &[],
        "torchrun pretrain_gpt.py --bf16",
    );
    becomes(
        "E=8\ntorchrun pretrain_gpt.py --num-experts \"$E\" --bf16",
        &["--num-experts"],
        &[],
        "E=8\ntorchrun pretrain_gpt.py --bf16",
    );
}

#[test]
fn values_change_where_they_are_written() {
    let layers = |new: &'static str| (["--num-layers"], ["--num-layers", new]);
    let (remove, add) = layers("4");
    becomes(
        "torchrun pretrain_gpt.py --num-layers 2 --bf16",
        &remove,
        &add,
        "torchrun pretrain_gpt.py --num-layers 4 --bf16",
    );
    becomes("torchrun pretrain_gpt.py --num-layers='2'", &remove, &add, "torchrun pretrain_gpt.py --num-layers='4'");
    becomes(
        "N=2\ntorchrun pretrain_gpt.py --num-layers $N",
        &remove,
        &add,
        "N=4\ntorchrun pretrain_gpt.py --num-layers $N",
    );
    // Used elsewhere too: the variable stays.
    becomes(
        "N=2\necho $N\ntorchrun pretrain_gpt.py --num-layers $N",
        &remove,
        &add,
        "N=2\necho $N\ntorchrun pretrain_gpt.py --num-layers 4",
    );
    becomes(
        "H=2\ntorchrun pretrain_gpt.py --num-layers $H --hidden-size $((H * 8))",
        &remove,
        &add,
        "H=2\ntorchrun pretrain_gpt.py --num-layers 4 --hidden-size $((H * 8))",
    );
    becomes(
        "torchrun pretrain_gpt.py --num-layers ${N:-2} --bf16",
        &remove,
        &add,
        "torchrun pretrain_gpt.py --num-layers ${N:-4} --bf16",
    );
    // The last one counts, and is the one that stays.
    becomes(
        "torchrun pretrain_gpt.py --num-layers 2 --num-layers 3",
        &remove,
        &add,
        "torchrun pretrain_gpt.py --num-layers 4",
    );
}

#[test]
fn options_come_where_others_stand() {
    becomes(
        "ARGS=(\n    --num-experts 8\n    --bf16\n)\ntorchrun pretrain_gpt.py ${ARGS[@]}\n",
        &[],
        &["--moe-grouped-gemm"],
        "ARGS=(\n    --num-experts 8\n    --bf16\n    --moe-grouped-gemm\n)\ntorchrun pretrain_gpt.py ${ARGS[@]}\n",
    );
    let text = "torchrun pretrain_gpt.py \\\n    --num-experts 8 \\\n    --bf16\n";
    let new = changed(text, &[], &["--moe-grouped-gemm"], Some("--num-experts"));
    let wanted = "torchrun pretrain_gpt.py \\\n    --num-experts 8 \\\n    --moe-grouped-gemm \\\n    --bf16\n";
    assert_eq!(new.as_deref(), Some(wanted));
    becomes("torchrun pretrain_gpt.py --bf16", &[], &["--swiglu"], "torchrun pretrain_gpt.py --bf16 --swiglu");
    becomes(
        "E=8; torchrun pretrain_gpt.py --num-experts $E | tee log",
        &[],
        &["--swiglu"],
        "E=8; torchrun pretrain_gpt.py --num-experts $E --swiglu | tee log",
    );
}

/// One option of a random launch.
fn option() -> impl Strategy<Value = (&'static str, Option<u32>)> {
    let valued = prop::sample::select(vec![
        "--num-layers",
        "--hidden-size",
        "--num-experts",
        "--seq-length",
        "--lr-warmup-iters",
    ]);
    prop_oneof![
        (valued, 1..99_u32).prop_map(|(name, value)| (name, Some(value))),
        prop::sample::select(vec!["--bf16", "--moe-grouped-gemm", "--swiglu", "--qk-layernorm"])
            .prop_map(|name| (name, None)),
    ]
}

/// How a launch is written.
fn script() -> impl Strategy<Value = String> {
    (prop::collection::vec((option(), 0..6_u8), 1..8), 0..4_u8).prop_map(|(options, style)| {
        let mut head = String::new();
        let mut parts = Vec::new();
        for (index, ((name, value), how)) in options.into_iter().enumerate() {
            parts.push(match (value, how) {
                (None, 0) if style != 2 => format!("\"{name}\""),
                (None, _) => name.to_owned(),
                (Some(value), 0) if style != 2 => format!("{name} '{value}'"),
                (Some(value), 1) => format!("{name}={value}"),
                (Some(value), 2) => {
                    head.push_str(&format!("V{index}={value}\n"));
                    format!("{name} $V{index}")
                }
                (Some(value), 3) => {
                    head.push_str(&format!("V{index}={value}; W{index}=$V{index}\n"));
                    format!("{name} ${{W{index}}}")
                }
                (Some(value), 4) => {
                    head.push_str(&format!("V{index}={value}\n"));
                    format!("{name}=$V{index}")
                }
                (Some(value), _) => format!("{name} {value}"),
            });
        }
        let body = match style {
            0 => format!("torchrun pretrain_gpt.py {}\n", parts.join(" ")),
            1 => format!("torchrun pretrain_gpt.py \\\n    {}\n", parts.join(" \\\n    ")),
            2 => format!("ARGS=\"\n    {}\n\"\ntorchrun pretrain_gpt.py $ARGS\n", parts.join("\n    ")),
            _ => format!(
                "ARGS=(\n    {} # last\n)\ntorchrun pretrain_gpt.py \"${{ARGS[@]}}\"\n",
                parts.join(" # c\n    ")
            ),
        };
        format!("#!/bin/bash\n{head}{body}echo done\n")
    })
}

#[test]
fn random_launches_become_what_was_proven() {
    if bash("true").is_none() {
        println!("skipped in part: there is no bash on this machine");
    }
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(120);
    let config = proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&(script(), option(), any::<bool>()), |(text, (name, value), remove)| {
        let value = value.map(|value| value.to_string());
        let words: Vec<&str> = std::iter::once(name).chain(value.as_deref()).collect();
        let launch = read(&text).expect("a script");
        let given = texts(launch.training_entry().expect("a command").arguments);
        let add = if remove { &[][..] } else { &words[..] };
        let made = changed(&text, &[name], add, None);
        // Nothing to do is the only reason to do nothing.
        let has = given.iter().any(|word| word.split('=').next() == Some(name));
        let nothing = remove && !has
            || !remove && {
                let at = given.iter().rposition(|word| word.split('=').next() == Some(name));
                at.is_some()
            };
        prop_assert!(made.is_some() || nothing, "{text}\nremove {remove} {words:?}");
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn moe_lint(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_moe-lint")).args(arguments).current_dir(root).output().expect("it runs")
}

/// The founding launch, in a folder of its own.
fn founding() -> (tempfile::TempDir, PathBuf, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/issue-924");
    let script = fs::read_dir(&root).expect("a case").map(|entry| entry.expect("an entry").path());
    let script = script.into_iter().find(|path| path.extension().is_some_and(|e| e == "sh")).expect("a script");
    let text = fs::read_to_string(script).expect("a script");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    fs::write(&path, &text).expect("written");
    (folder, path, text)
}

const CHECKPOINT: &str = "tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential";

#[test]
fn fix_writes_what_diff_shows() {
    let (_folder, path, text) = founding();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).expect("permissions");
    }
    let name = path.display().to_string();
    let launch = [&*name, "--checkpoint", CHECKPOINT, "--megatron", "0.8", "--te", "1.7", "--isolated"];
    let shown = moe_lint(&[&["check", "--diff"][..], &launch].concat());
    let diff = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.status.code(), Some(1), "{diff}{}", String::from_utf8_lossy(&shown.stderr));
    assert_eq!(fs::read_to_string(&path).expect("a script"), text, "--diff writes nothing");
    let gone: Vec<&str> = diff.lines().filter(|line| line.starts_with('-') && !line.starts_with("---")).collect();
    assert!(gone.len() == 1 && gone[0].contains("--moe-grouped-gemm"), "{diff}");
    let fixed = moe_lint(&[&["check", "--fix"][..], &launch].concat());
    assert_eq!(fixed.status.code(), Some(0), "{}", String::from_utf8_lossy(&fixed.stderr));
    let new = fs::read_to_string(&path).expect("a script");
    assert_eq!(
        new,
        text.lines()
            .filter(|line| line.trim() != "--moe-grouped-gemm")
            .fold(String::new(), |all, line| all + line + "\n")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o750);
    }
    assert_eq!(
        fs::read_dir(path.parent().expect("a folder")).expect("a folder").count(),
        1,
        "nothing is left beside it"
    );
    // Nothing more to do.
    let again = moe_lint(&[&["check", "--fix"][..], &launch].concat());
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(fs::read_to_string(&path).expect("a script"), new);
}

#[test]
fn unsafe_fixes_have_to_be_asked_for() {
    let (_folder, path, text) = founding();
    let text = text.replace("    --moe-grouped-gemm\n", "").replace("--num-layers 4", "--num-layers 6");
    fs::write(&path, &text).expect("written");
    let name = path.display().to_string();
    let launch = [&*name, "--checkpoint", CHECKPOINT, "--megatron", "0.8", "--te", "1.7", "--isolated"];
    let safe = moe_lint(&[&["check", "--fix"][..], &launch].concat());
    assert_eq!(safe.status.code(), Some(1), "{}", String::from_utf8_lossy(&safe.stdout));
    assert_eq!(fs::read_to_string(&path).expect("a script"), text);
    assert!(String::from_utf8_lossy(&safe.stderr).contains("--unsafe-fixes"));
    let all = moe_lint(&[&["check", "--fix", "--unsafe-fixes"][..], &launch].concat());
    assert_eq!(all.status.code(), Some(0), "{}", String::from_utf8_lossy(&all.stdout));
    assert!(fs::read_to_string(&path).expect("a script").contains("--num-layers 4"));
}

#[test]
fn words_cannot_be_fixed() {
    let output = moe_lint(&["check", "--fix", "--", "torchrun", "pretrain_gpt.py"]);
    assert_eq!(output.status.code(), Some(2));
}
