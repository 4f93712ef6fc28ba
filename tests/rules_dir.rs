//! `--rules DIR`: what a lab knows about its fork, added to the built-in rules or in their place.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;

const LAUNCH: &str = "torchrun --nproc-per-node 1 pretrain_gpt.py --num-layers 2 --hidden-size 16 --num-attention-heads 4 \
                      --seq-length 8 --max-position-embeddings 8 --micro-batch-size 1 --tokenizer-type NullTokenizer \
                      --vocab-size 100 --lr 1e-4 --train-iters 1 --transformer-impl local";

struct Rules {
    folder: tempfile::TempDir,
}

impl Rules {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join("rules").join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        fs::write(folder.path().join("train.sh"), format!("{LAUNCH} --our-flag 3\n")).expect("written");
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rules")
    }

    /// The document, the exit code and what is said about errors.
    fn run(&self, words: &[&str]) -> (Json, Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
        let output = command.args(words).current_dir(self.folder.path()).env_clear().output().expect("it starts");
        let document = serde_json::from_slice(&output.stdout).unwrap_or(Json::Null);
        (document, output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    #[track_caller]
    fn fails(&self, needles: &[&str]) {
        let (_, code, errors) = self.run(&["schema", "train.sh", "--megatron", "0.12", "--rules", "rules"]);
        assert_eq!(code, Some(2), "{errors}");
        assert!(!errors.contains("a bug"), "{errors}");
        for needle in needles {
            assert!(errors.contains(needle), "{needle} is not in {errors}");
        }
    }
}

const FLAG: &str = "[flags]\n--our-flag = { type = \"int\" }\n";

#[test]
fn a_forks_flag_is_added_by_a_small_directory() {
    let rules = Rules::new(&[("megatron/flags/ours.toml", FLAG)]);
    let words = ["schema", "train.sh", "--megatron", "0.12", "--format", "json"];
    let (document, code, _) = rules.run(&words);
    assert_eq!(code, Some(1));
    assert_eq!(document["rejected"]["message"], "unrecognized arguments: --our-flag 3");
    let (document, code, errors) = rules.run(&[&words[..], &["--rules", "rules"]].concat());
    assert_eq!((code, &document["rejected"]), (Some(0), &Json::Null), "{errors}");
    assert!(document["schema"].is_object());
    // For every command.
    let (document, code, errors) = rules.run(&["args", "train.sh", "--format", "json", "--rules", "rules"]);
    assert_eq!(code, Some(0), "{errors}");
    let flags = document["flags"].as_array().expect("flags");
    assert!(flags.iter().any(|flag| flag["dest"] == "our_flag" && flag["value"] == 3), "{flags:?}");
}

#[test]
fn a_file_of_the_same_path_takes_the_place_of_the_built_in_one() {
    let kitchen = "rules/megatron/flags/kitchen.toml";
    let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(kitchen)).expect("the rules");
    let rules = Rules::new(&[("megatron/flags/kitchen.toml", &format!("{text}--our-flag = {{ type = \"int\" }}\n"))]);
    let (document, code, errors) =
        rules.run(&["schema", "train.sh", "--megatron", "0.12", "--format", "json", "--rules", "rules"]);
    assert_eq!((code, &document["rejected"]), (Some(0), &Json::Null), "{errors}");
}

#[test]
fn several_directories_add_up_and_the_last_counts() {
    let rules = Rules::new(&[("megatron/flags/ours.toml", "[flags]\n--our-flag = { type = \"float\" }\n")]);
    let second = Rules::new(&[("megatron/flags/ours.toml", FLAG)]);
    let path = second.path().display().to_string();
    let words = ["args", "train.sh", "--format", "json", "--rules", "rules", "--rules", &path];
    let (document, ..) = rules.run(&words);
    let flags = document["flags"].as_array().expect("flags");
    assert!(flags.iter().any(|flag| flag["dest"] == "our_flag" && flag["value"].is_i64()), "{flags:?}");
}

#[test]
fn settings_name_directories_too() {
    let rules = Rules::new(&[("megatron/flags/ours.toml", FLAG)]);
    let settings = "megatron = \"0.12\"\nrules = [\"rules\"]\n";
    fs::write(rules.folder.path().join("moe-lint.toml"), settings).expect("written");
    fs::create_dir(rules.folder.path().join("empty")).expect("made");
    let (document, code, errors) = rules.run(&["check", "train.sh", "--checkpoint", "empty", "--format", "json"]);
    assert_eq!((code, &document["rejected"]), (Some(1), &Json::Null), "{errors}");
    assert_eq!(document["outcome"], "fresh");
    assert!(document["framework"]["from"].as_str().is_some_and(|from| from.ends_with("moe-lint.toml")));
}

#[test]
fn what_is_wrong_is_named_with_its_file_and_place() {
    Rules::new(&[("megatron/flags/ours.toml", "[flags]\n--our-flag = { type = \"int\", sort = 1 }\n")]).fails(&[
        "rules/megatron/flags/ours.toml",
        "line 2",
        "sort",
    ]);
    Rules::new(&[("megatron/flags/ours.toml", "[flags]\n--our-flag = { type = \"no-such-type\" }\n")]).fails(&[
        "rules/megatron/flags/ours.toml",
        "--our-flag",
        "no-such-type",
    ]);
    Rules::new(&[("megatron/flags/ours.toml", "[flags]\n--lr = { type = \"int\" }\n")]).fails(&["--lr"]);
    Rules::new(&[("megatron/modules/ours.toml", "[[Ours]]\ntensor = \"x\"\nshape = [\"1 +\"]\n")]).fails(&[
        "rules/megatron/modules/ours.toml",
        "Ours entry 1",
        "1 +",
    ]);
    Rules::new(&[("megatron/checkpoint.toml", "tracker = 1\n")]).fails(&["rules/megatron/checkpoint.toml", "line 1"]);
    Rules::new(&[("launchers.toml", "[[launcher]]\n")]).fails(&["rules/launchers.toml", "programs"]);
    for file in
        ["forks/ours.toml", "inputs/ours.toml", "megatron/infer.toml", "megatron/repair.toml", "causes/ours.toml"]
    {
        Rules::new(&[(file, "x = 1\n")]).fails(&[&format!("rules/{file}")]);
    }
    Rules::new(&[("megatron/convert/experts.toml", "x = 1\n")]).fails(&["rules/megatron/convert/experts.toml"]);
    // A file that nobody would read.
    Rules::new(&[("flags/ours.toml", FLAG)]).fails(&["rules/flags/ours.toml", "no rules are read"]);
    Rules::new(&[("README.md", "")]).fails(&["rules: there are no rule files"]);
    Rules::new(&[]).fails(&["rules", "is not a directory"]);
}
