//! `moe-lint args`: what a launch would run, through the program itself.
//!
//! `recordings` is a measurement against public scripts, which are not part of this repository: `MOE_LINT_RECORDINGS`
//! names a file with one recording a line, `MOE_LINT_REPOSITORIES` a folder with the checkouts (`owner+name/`).

// A measurement is there to be read.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value as Json, json};

const FOUNDING: &str = "tests/cases/issue-924/train_mixtral.sh";

fn run_in(folder: &Path, words: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    command.arg("args").args(words).current_dir(folder).env_clear().env("LANG", "C.UTF-8");
    command.output().expect("it starts")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(words: &[&str]) -> Output {
    run_in(root(), &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The document, held against its schema.
fn document(words: &[&str]) -> Json {
    let output = run(&[words, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    let schema = fs::read_to_string(root().join("docs/schema/args.json")).expect("a schema");
    let schema: Json = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON schema");
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document
}

/// A script in a folder of its own.
fn script(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    (folder, path)
}

fn values(command: &Json) -> Vec<&str> {
    command["argv"].as_array().expect("words").iter().map(|word| word["value"].as_str().unwrap_or("?")).collect()
}

fn flag<'j>(document: &'j Json, name: &str) -> &'j Json {
    let flags = document["flags"].as_array().expect("flags");
    flags.iter().find(|flag| flag["flag"] == name).unwrap_or_else(|| panic!("{name} is not in {flags:?}"))
}

/// The text that a label points at, by its bytes and by its lines and columns.
fn pointed(label: &Json) -> String {
    let number = |name: &str| usize::try_from(label[name].as_u64().expect("a number")).expect("small");
    let path = root().join(label["file"].as_str().expect("a file"));
    let text = fs::read_to_string(path).expect("the file");
    let bytes = &text[number("byte_start")..number("byte_end")];
    assert_eq!(number("line"), number("end_line"), "{label}");
    let line = text.lines().nth(number("line") - 1).expect("the line");
    let columns: String =
        line.chars().skip(number("column") - 1).take(number("end_column") - number("column")).collect();
    assert_eq!(bytes, columns);
    columns
}

#[test]
fn the_flags_of_the_founding_case() {
    let document = document(&[FOUNDING, "--megatron", "0.8.0"]);
    assert_eq!(document["training"], 0);
    let command = &document["commands"][0];
    assert_eq!((&command["program"], &command["line"]), (&json!("torchrun"), &json!(65)));
    assert_eq!(values(command)[..2], ["--nproc_per_node", "4"]);
    assert_eq!(document["flags"].as_array().map(Vec::len), Some(27));
    let grouped = flag(&document, "--moe-grouped-gemm");
    assert_eq!(grouped["dest"], "moe_grouped_gemm");
    assert_eq!((&grouped["value"], &grouped["default"]), (&json!(true), &json!(false)));
    assert_eq!(pointed(&grouped["labels"][0]), "--moe-grouped-gemm");
    let experts = flag(&document, "--num-experts");
    assert_eq!((&experts["value"], &experts["default"]), (&json!(8), &Json::Null));
    assert_eq!(pointed(&experts["labels"][1]), "8");
}

#[test]
fn every_word_keeps_its_places_through_variables_and_arrays() {
    let document = document(&[FOUNDING]);
    let words = document["commands"][0]["argv"].as_array().expect("words");
    let word = words.iter().find(|word| word["value"] == "--moe-grouped-gemm").expect("the flag");
    let places: Vec<String> = word["labels"].as_array().expect("labels").iter().map(pointed).collect();
    assert_eq!(places[0], "--moe-grouped-gemm");
    assert!(places[1..].iter().any(|place| place.contains("[@]")), "{places:?}");
}

#[test]
fn a_wrapper_comes_before_what_it_starts() {
    let text =
        "export A=1\nsrun -N 2 bash -c \"B=2 torchrun --nproc-per-node 8 pretrain_gpt.py --lr 1e-4 --lr 1e-5\"\n";
    let (_folder, path) = script(text);
    let document = document(&[&path]);
    let commands = document["commands"].as_array().expect("commands");
    let programs: Vec<_> = commands.iter().map(|command| command["program"].as_str().expect("known")).collect();
    assert_eq!(programs, ["srun", "torchrun"]);
    assert_eq!((&commands[0]["via"], &commands[1]["via"]), (&Json::Null, &json!(0)));
    assert_eq!(document["training"], 1);
    assert_eq!(commands[1]["env"]["A"]["value"], "1");
    assert_eq!(commands[1]["env"]["B"]["value"], "2");
    // The last one counts, and is told once.
    assert_eq!(document["flags"].as_array().map(Vec::len), Some(1));
    assert_eq!(flag(&document, "--lr")["value"], json!(1e-5));
}

#[test]
fn a_command_line_may_stand_in_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    put("flags.txt", "# the model\n--num-layers 2 \\\n  --load \"/my ckpt\"\n--spec 'a b'");
    put("launch.txt", "torchrun --nproc_per_node 8\npretrain_gpt.py");
    put("open.txt", "--load 'ckpt");
    let flags = |words: &[&str]| {
        let words: Vec<String> = words.iter().chain(&["--lr", "1", "@"]).map(|word| (*word).to_owned()).collect();
        let words = [&["--format".to_owned(), "json".to_owned()][..], &words].concat();
        let output = run_in(folder.path(), &words);
        let document: Json = serde_json::from_slice(&output.stdout).expect("JSON");
        let words = document["commands"][0]["argv"].as_array().expect("words").clone();
        words.iter().map(|word| word["value"].as_str().expect("a word").to_owned()).collect::<Vec<_>>()
    };
    let wanted =
        ["--nproc_per_node", "8", "pretrain_gpt.py", "--num-layers", "2", "--load", "/my ckpt", "--spec", "a b"];
    let wanted = [&wanted[..], &["--lr", "1", "@"]].concat();
    assert_eq!(flags(&["--", "torchrun", "--nproc_per_node", "8", "pretrain_gpt.py", "@flags.txt"]), wanted);
    assert_eq!(flags(&["@launch.txt", "--", "@flags.txt"]), wanted);
    let mut fix = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    let output = fix.args(["check", "--fix", "@launch.txt"]).current_dir(folder.path()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--fix and --diff change scripts"), "{output:?}");
    for (file, says) in [("@gone.txt", "gone.txt"), ("@open.txt", "open.txt: a quote does not close")] {
        let output = run_in(folder.path(), &[file.to_owned()]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(says), "{output:?}");
    }
}

#[test]
fn programs_with_arguments_of_their_own_are_read_in_their_way() {
    let (_swift, path) = script("megatron sft --load A --moe_grouped_gemm true --padding_side left --dataset a b\n");
    let swift = document(&[&path]);
    assert_eq!(flag(&swift, "--moe_grouped_gemm")["value"], true);
    assert_eq!(flag(&swift, "--moe_grouped_gemm")["dest"], "moe_grouped_gemm");
    assert_eq!(flag(&swift, "--padding_side")["dest"], Json::Null);
    assert_eq!(flag(&swift, "--padding_side")["fork"], "ms-swift");
    assert_eq!(flag(&swift, "--dataset")["value"], json!(["a", "b"]));
    let actor = "actor_rollout_ref.actor.megatron";
    let (_verl, path) = script(&format!(
        "python3 -m verl.trainer.main_ppo --config-path=config {actor}.tensor_model_parallel_size=2 \\\n\
         ++{actor}.override_transformer_config.moe_grouped_gemm=True trainer.nnodes=$N {actor}.sequence_parallel=False\n"
    ));
    let verl = document(&[&path]);
    let parallel = flag(&verl, &format!("{actor}.tensor_model_parallel_size")).clone();
    assert_eq!((&parallel["value"], &parallel["dest"]), (&json!(2), &json!("tensor_model_parallel_size")));
    let experts = flag(&verl, &format!("{actor}.override_transformer_config.moe_grouped_gemm")).clone();
    assert_eq!((&experts["value"], &experts["dest"]), (&json!(true), &json!("moe_grouped_gemm")));
    assert_eq!(flag(&verl, &format!("{actor}.sequence_parallel"))["value"], false);
    assert_eq!(flag(&verl, "--config-path")["value"], "config");
}

#[test]
fn what_is_not_known_says_why() {
    let (_folder, path) = script("torchrun pretrain_gpt.py --num-layers $LAYERS --new-flag 1 2 --other=x --lr 1e-4\n");
    let document = document(&[&path]);
    let words = document["commands"][0]["argv"].as_array().expect("words");
    assert!(words[2]["unknown"].as_str().is_some_and(|reason| reason.contains("LAYERS")), "{:?}", words[2]);
    assert!(flag(&document, "--num-layers")["value"]["unknown"].is_string());
    // Flags that the version does not have are told all the same.
    assert_eq!(flag(&document, "--new-flag")["dest"], Json::Null);
    assert_eq!(flag(&document, "--new-flag")["value"], json!(["1", "2"]));
    assert_eq!(flag(&document, "--other")["value"], "x");
    let printed = run(&[&path]);
    assert_eq!(printed.status.code(), Some(0));
    let printed = text(&printed);
    let unknown = printed.find("unknown: `$LAYERS`").expect("the unknown word");
    assert!(unknown < printed.find("--lr").expect("a flag"), "unknown words come first:\n{printed}");
    assert!(printed.contains("--env LAYERS=VALUE"), "{printed}");
}

#[test]
fn a_variable_that_adds_to_itself_is_exported() {
    let (_folder, path) = script("export MORE=$MORE:/x\ntorchrun pretrain_gpt.py\n");
    let document = document(&[&path]);
    let more = &document["commands"][0]["env"]["MORE"];
    assert!(more["unknown"].as_str().is_some_and(|reason| reason.contains("$MORE")), "{more}");
}

#[test]
fn a_launch_that_does_not_train_is_shown_too() {
    let (_folder, path) = script("python tools/preprocess_data.py --input x\n");
    let document = document(&[&path]);
    assert_eq!(document["training"], Json::Null);
    assert_eq!(document["flags"], json!([]));
    assert_eq!(values(&document["commands"][0]), ["tools/preprocess_data.py", "--input", "x"]);
    let printed = text(&run(&[&path]));
    assert!(printed.contains("none of them trains"), "{printed}");
}

#[test]
fn a_command_line_is_a_launch() {
    let output = run(&["--format", "json", "--", "torchrun", "pretrain_gpt.py", "--num-layers", "2"]);
    let document: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["source"], "command line");
    let layers = flag(&document, "--num-layers");
    assert_eq!((&layers["value"], &layers["labels"][0]["column"]), (&json!(2), &json!(26)));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let output = run(&["no/such/script.sh"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_table_fits_the_terminal() {
    for width in [80, 120] {
        let printed = text(&run(&[FOUNDING, "--megatron", "0.8.0", "--width", &width.to_string()]));
        assert!(printed.lines().all(|line| line.chars().count() <= width), "{printed}");
        insta::assert_snapshot!(format!("founding_{width}"), printed);
    }
}

/// Whether words are the recorded ones; an unknown word may stand for any number of them.
fn fits(words: &[Option<String>], recorded: &[String]) -> bool {
    match (words.split_first(), recorded) {
        (None, rest) => rest.is_empty(),
        (Some((None, words)), rest) => (0..=rest.len()).any(|skip| fits(words, &rest[skip..])),
        (Some((Some(word), words)), [first, rest @ ..]) => word == first && fits(words, rest),
        (Some((Some(_), _)), []) => false,
    }
}

fn recorded(record: &Json, repositories: &Path) -> Option<(PathBuf, Vec<String>)> {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let checkout = repositories.join(text("repo").replace('/', "+"));
    let folder = checkout.join(text("cwd"));
    let path = checkout.join(text("path"));
    let path = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
    if !folder.join(&path).is_file() {
        return None;
    }
    let mut words = vec![path, "--format".to_owned(), "json".to_owned()];
    let mut env = vec![("HOME".to_owned(), "/home/u".to_owned())];
    env.extend(record["env"].as_object()?.iter().map(|(n, v)| (n.clone(), v.as_str().unwrap_or("").to_owned())));
    for (name, value) in env {
        words.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    for argument in record["args"].as_array()? {
        words.extend(["--arg".to_owned(), argument.as_str()?.to_owned()]);
    }
    Some((folder, words))
}

/// The recorded words as this machine would have them: the checkout lies elsewhere here.
fn here(record: &Json, command: &Json, repositories: &Path) -> Vec<String> {
    let checkout = repositories.join(record["repo"].as_str().unwrap_or_default().replace('/', "+"));
    let root = record["repo_root"].as_str().unwrap_or("/repo");
    let located = command["located"].as_array().map_or(&[][..], Vec::as_slice);
    let words = command["argv"].as_array().expect("words").iter().enumerate();
    words
        .map(|(at, word)| {
            let word = word.as_str().unwrap_or_default();
            let moves = located.iter().any(|index| *index == at);
            if moves { word.replace(root, &checkout.display().to_string()) } else { word.to_owned() }
        })
        .collect()
}

#[test]
fn recordings() {
    let (Ok(file), Ok(repositories)) = (std::env::var("MOE_LINT_RECORDINGS"), std::env::var("MOE_LINT_REPOSITORIES"))
    else {
        println!("skipped: MOE_LINT_RECORDINGS and MOE_LINT_REPOSITORIES are not set");
        return;
    };
    let repositories = PathBuf::from(repositories);
    let (mut all, mut identical, mut unknown, mut chosen, mut wrong) = (0, 0, 0, 0, Vec::new());
    for line in fs::read_to_string(file).expect("the recordings").lines() {
        let record: Json = serde_json::from_str(line).expect("a recording");
        let Some(index) = record["training_command"].as_u64().filter(|_| record["kind"] == "bash") else { continue };
        // What such a script does depends on files that were made for the recording; shell_recordings.rs makes them, too.
        let files_made = record["files_created"].as_array().is_some_and(|files| !files.is_empty());
        let Some((folder, words)) = recorded(&record, &repositories).filter(|_| !files_made) else { continue };
        all += 1;
        let output = run_in(&folder, &words);
        let id = record["id"].as_str().unwrap_or_default();
        let Ok(document) = serde_json::from_slice::<Json>(&output.stdout) else {
            wrong.push(format!("{id}: {}", String::from_utf8_lossy(&output.stderr)));
            continue;
        };
        let want = &record["commands"][usize::try_from(index).expect("small")];
        let dynamic: Vec<u64> = want["dynamic"].as_array().expect("a list").iter().filter_map(Json::as_u64).collect();
        let recorded = here(&record, want, &repositories);
        let name = |program: &Json| program.as_str().unwrap_or("?").rsplit('/').next().unwrap_or("?").to_owned();
        let commands = document["commands"].as_array().expect("commands");
        let same = |command: &Json| {
            let words: Vec<Option<String>> = command["argv"]
                .as_array()
                .expect("words")
                .iter()
                .map(|word| word["value"].as_str().map(str::to_owned))
                .collect();
            let known = words.iter().all(Option::is_some);
            (name(&command["program"]) == name(&want["program"]) && fits(&words, &recorded)).then_some(known)
        };
        let training = document["training"].as_u64().and_then(|i| commands.get(usize::try_from(i).ok()?));
        chosen += usize::from(training.is_some_and(|command| same(command).is_some()));
        match commands.iter().filter_map(same).max() {
            Some(true) => identical += 1,
            Some(false) => unknown += 1,
            // Where a word depends on the machine, this machine gives another one.
            None if !dynamic.is_empty() => unknown += 1,
            None => wrong.push(format!("{id}: {:?}", training.map(|command| values(command).join(" ")))),
        }
    }
    println!(
        "{all} scripts: {identical} identical, {unknown} with unknown words, {} wrong, {chosen} chosen",
        wrong.len()
    );
    for wrong in &wrong {
        println!("{}", wrong.chars().take(600).collect::<String>());
    }
}

#[test]
fn a_script_in_a_folder_that_is_not_known_still_trains() {
    for word in ["$ROOT/pretrain_gpt.py", "\"$ROOT/pretrain_gpt.py\"", "${ROOT}/a/pretrain_gpt.py"] {
        let (_folder, path) = script(&format!("torchrun --nproc-per-node 8 {word} --num-layers 2\n"));
        let document = document(&[&path]);
        assert_eq!(document["training"], 0, "{word}");
        assert_eq!(flag(&document, "--num-layers")["value"], 2, "{word}");
    }
}
