//! The picture in the README: a real run, as a terminal shows it.

use std::process::Command;

use super::{current, root, sandbox};

#[test]
fn the_picture_in_the_readme_is_a_real_run() {
    let words =
        ["check", "train_mixtral.sh", "--megatron", "0.8.0", "--te", "1.7", "--color", "always", "--width", "80"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    let directory = tempfile::tempdir().expect("a directory");
    sandbox(directory.path());
    command.args(words).current_dir(directory.path()).env_clear().env("LANG", "C.UTF-8");
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("[expert-layout]"));
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let duration = regex::Regex::new(r"\b(under 1|\d+) ms\b").expect("a regular expression");
    let printed = duration.replace_all(&printed, "9 ms");
    let text = format!("$ moe-lint {}\n\n{printed}", words[..6].join(" "));
    let svg = anstyle_svg::Term::new().min_width_px(760).render_svg(&text);
    current(&root().join("docs/founding.svg"), &svg);
}
