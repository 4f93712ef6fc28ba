//! Where the version of a launch comes from: the copy that it would import, as far as it lies on this machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;

/// A folder with copies of the framework and scripts that use them.
struct Case {
    folder: tempfile::TempDir,
}

const FLAGS: &str = "--num-layers 2 --hidden-size 16 --num-attention-heads 4 --seq-length 8 --max-position-embeddings 8 \
                     --micro-batch-size 1 --tokenizer-type NullTokenizer --vocab-size 100 --lr 1e-4 --train-iters 1";
const NEWEST: &str = "assumed: the newest release known";

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a path")
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
        self
    }

    /// A copy of the framework below a folder.
    fn copy(&self, folder: &str, version: &str) -> &Self {
        let [major, minor, patch] = version.split('.').collect::<Vec<_>>()[..] else { panic!("three numbers") };
        let text = format!("MAJOR = {major}\nMINOR = {minor}\nPATCH = {patch}\nPRE_RELEASE = 'rc0'\n");
        self.write(&format!("{folder}/megatron/core/package_info.py"), &text)
    }

    /// A script; `{here}` stands for the folder, `{flags}` for flags that every version takes.
    fn script(&self, text: &str) -> &Self {
        let text = text.replace("{here}", &self.path().display().to_string()).replace("{flags}", FLAGS);
        self.write("train.sh", &text)
    }

    fn run(&self, words: &[&str]) -> (Json, Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
        command.args(["schema", "train.sh", "--format", "json"]).args(words);
        let output = command.current_dir(self.path()).env_clear().output().expect("it starts");
        let document = serde_json::from_slice(&output.stdout).unwrap_or(Json::Null);
        (document, output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The version and where it comes from.
    fn told(&self, words: &[&str]) -> (String, String) {
        let (document, _, errors) = self.run(words);
        let text = |name: &str| document["framework"][name].as_str().unwrap_or_else(|| panic!("{errors}")).to_owned();
        (text("version"), text("from"))
    }

    /// Asserts the version and the words that its origin has.
    #[track_caller]
    fn tells(&self, version: &str, origin: &[&str]) {
        let (found, from) = self.told(&[]);
        assert_eq!(found, version, "{from}");
        for words in origin {
            assert!(from.contains(words), "{words:?} is not in {from:?}");
        }
    }

    #[track_caller]
    fn tells_nothing(&self) {
        assert_eq!(self.told(&[]).1, NEWEST);
    }
}

/// A checkout: the framework and a script to start.
fn checkout(version: &str) -> Case {
    let case = Case::new();
    case.copy("megatron-lm", version).write("megatron-lm/pretrain_gpt.py", "");
    case
}

#[test]
fn a_checkout_beside_the_training_script() {
    let case = checkout("0.12.3");
    case.script("torchrun --nproc-per-node 1 {here}/megatron-lm/pretrain_gpt.py {flags}\n");
    case.tells("0.12.3", &["megatron-lm/megatron/core/package_info.py", "of the script at train.sh:1"]);
    // By `cd`, and through a link.
    case.script("X=1\ncd {here}/megatron-lm\ntorchrun --nproc-per-node 1 pretrain_gpt.py {flags}\n");
    case.tells("0.12.3", &["train.sh:3"]);
    // What the user says counts.
    assert_eq!(case.told(&["--megatron", "0.8.0"]), ("0.8.0".to_owned(), "--megatron".to_owned()));
}

#[test]
fn pythonpath_comes_after_the_scripts_folder() {
    let case = checkout("0.12.0");
    case.copy("other", "0.9.0").write("own/pretrain_gpt.py", "");
    case.script("export PYTHONPATH={here}/other:/none\ntorchrun own/pretrain_gpt.py {flags}\n");
    case.tells("0.9.0", &["other/megatron/core/package_info.py", "PYTHONPATH at train.sh:1"]);
    case.script("export PYTHONPATH={here}/other\ntorchrun megatron-lm/pretrain_gpt.py {flags}\n");
    case.tells("0.12.0", &[]);
    // What the launch adds to a variable that it does not know.
    case.script("export PYTHONPATH=$PYTHONPATH:{here}/other\ntorchrun own/pretrain_gpt.py {flags}\n");
    case.tells("0.9.0", &["PYTHONPATH"]);
    case.script("PYTHONPATH={here}/other torchrun own/pretrain_gpt.py {flags}\n");
    case.tells("0.9.0", &["PYTHONPATH"]);
    case.script("torchrun own/pretrain_gpt.py {flags}\n");
    let path = format!("PYTHONPATH={}/other", case.path().display());
    assert_eq!(case.told(&["--env", &path]).0, "0.9.0");
    // An unknown part may hold another copy.
    case.script("export PYTHONPATH=$ELSEWHERE:{here}/other\ntorchrun own/pretrain_gpt.py {flags}\n");
    case.tells_nothing();
}

#[test]
fn packages_of_the_environment() {
    let case = Case::new();
    let packages = "venv/lib/python3.12/site-packages";
    case.copy(packages, "0.14.1").write("own/pretrain_gpt.py", "");
    case.write(&format!("{packages}/transformer_engine-2.3.0+abc.dist-info/METADATA"), "");
    case.write("venv/bin/activate", &format!("VIRTUAL_ENV='{}/venv'\nexport VIRTUAL_ENV\n", case.path().display()));
    for script in [
        "{here}/venv/bin/torchrun own/pretrain_gpt.py {flags}\n",
        "source {here}/venv/bin/activate\ntorchrun own/pretrain_gpt.py {flags}\n",
        "export CONDA_PREFIX={here}/venv\nsrun -N 1 python own/pretrain_gpt.py {flags}\n",
    ] {
        case.script(script);
        case.tells("0.14.1", &["site-packages/megatron/core/package_info.py"]);
        let (document, ..) = case.run(&[]);
        assert_eq!(document["environment"]["transformer_engine"], "2.3.0");
        let from = document["environment"]["transformer_engine_from"].as_str().expect("a text");
        assert!(from.contains("transformer_engine-2.3.0+abc.dist-info"), "{from}");
    }
    let (document, ..) = case.run(&["--te", "2.0"]);
    assert_eq!(document["environment"]["transformer_engine"], "2.0");
}

#[test]
fn an_editable_install_is_followed() {
    let case = checkout("0.15.2");
    let info = "venv/lib/python3.10/site-packages/megatron_core-0.13.0rc2.dist-info";
    case.write("own/pretrain_gpt.py", "").write(&format!("{info}/METADATA"), "");
    case.script("{here}/venv/bin/python own/pretrain_gpt.py {flags}\n");
    case.tells("0.13.0", &["megatron_core-0.13.0rc2.dist-info", "of the program at train.sh:1"]);
    let url = format!("file://{}/megatron-lm", case.path().display());
    let direct = format!("{{\"url\": \"{url}\", \"dir_info\": {{\"editable\": true}}}}");
    case.write(&format!("{info}/direct_url.json"), &direct);
    case.tells("0.15.2", &["megatron-lm/megatron/core/package_info.py"]);
    // Two Pythons: which one runs is not known.
    case.write("venv/lib/python3.11/site-packages/x.py", "");
    case.tells_nothing();
}

#[test]
fn what_runs_elsewhere_tells_nothing() {
    let case = checkout("0.12.0");
    for script in [
        "docker run --rm image torchrun {here}/megatron-lm/pretrain_gpt.py {flags}\n",
        "srun --container-image=image torchrun {here}/megatron-lm/pretrain_gpt.py {flags}\n",
        "ssh node 'torchrun {here}/megatron-lm/pretrain_gpt.py {flags}'\n",
        // Not on this machine, or not known.
        "torchrun /no/such/place/pretrain_gpt.py {flags}\n",
        "torchrun $MEGATRON/pretrain_gpt.py {flags}\n",
        "cd $MEGATRON\ntorchrun pretrain_gpt.py {flags}\n",
        "torchrun pretrain_gpt.py {flags}\n",
    ] {
        case.script(script);
        case.tells_nothing();
    }
    case.script("srun -N 1 torchrun {here}/megatron-lm/pretrain_gpt.py {flags}\n");
    case.tells("0.12.0", &[]);
}

#[test]
fn a_copy_without_a_version_hides_those_behind_it() {
    let case = checkout("0.12.0");
    case.write("fork/pretrain_gpt.py", "").write("fork/megatron/core/__init__.py", "");
    case.script("export PYTHONPATH={here}/megatron-lm\ntorchrun fork/pretrain_gpt.py {flags}\n");
    case.tells_nothing();
    case.write("fork/megatron/core/package_info.py", "MAJOR = compute()\n");
    case.tells_nothing();
}

#[test]
fn a_version_newer_than_all_is_the_development_branch() {
    let case = checkout("0.99.0");
    case.script("torchrun megatron-lm/pretrain_gpt.py {flags}\n");
    case.tells("main", &[]);
    // A fix of a known release is that release.
    checkout("0.19.7").script("torchrun megatron-lm/pretrain_gpt.py {flags}\n").tells("0.19.7", &[]);
    // Between two releases: the older one describes it.
    checkout("0.12.9").script("torchrun megatron-lm/pretrain_gpt.py {flags}\n").tells("0.12.9", &[]);
}

#[test]
fn a_version_older_than_the_rules_is_never_judged() {
    let case = checkout("0.4.0");
    case.script("torchrun megatron-lm/pretrain_gpt.py {flags}\n");
    let (_, code, errors) = case.run(&[]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("0.4.0") && errors.contains("package_info.py"), "{errors}");
    // A look is no judgement.
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    let output = command.args(["args", "train.sh"]).current_dir(case.path()).env_clear().output().expect("it starts");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_check_says_which_version_it_took_and_why() {
    let case = checkout("0.12.0");
    case.script("torchrun megatron-lm/pretrain_gpt.py {flags} --load /no/such/checkpoint\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    command.args(["check", "train.sh", "--width", "80"]).current_dir(case.path()).env_clear();
    let printed = String::from_utf8(command.output().expect("it starts").stdout).expect("UTF-8");
    assert!(printed.contains("Megatron-LM 0.12.0") && printed.contains("package_info.py"), "{printed}");
}
