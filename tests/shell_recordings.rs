//! A measurement against recordings of public scripts, which are not part of this repository.
//!
//! `MOE_LINT_RECORDINGS` names a file with one recording a line, `MOE_LINT_REPOSITORIES` a folder with the checkouts
//! (`owner+name/`). Without them there is nothing to measure. `MOE_LINT_SHOW=ID` prints one script's differences.

// A measurement is there to be read.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use moe_lint::launch::{Command, Disk, Files, Launch, Options, read_script};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recording {
    id: String,
    repo: String,
    path: String,
    kind: String,
    #[serde(default)]
    cwd: String,
    #[serde(default)]
    repo_root: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files_created: Vec<String>,
    #[serde(default)]
    commands: Vec<Recorded>,
    training_command: Option<usize>,
    #[serde(default)]
    result: String,
}

#[derive(Deserialize)]
struct Recorded {
    program: String,
    argv: Vec<String>,
    dynamic: Vec<usize>,
    #[serde(default)]
    env_delta: BTreeMap<String, String>,
    #[serde(default)]
    env_dynamic: Vec<String>,
}

/// An otherwise empty machine with a checkout at the place that the recording had it.
struct Sandbox {
    root: PathBuf,
    checkout: PathBuf,
    made: BTreeSet<PathBuf>,
}

impl Sandbox {
    fn real(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.root).ok().map(|rest| self.checkout.join(rest))
    }
}

impl Files for Sandbox {
    fn read(&self, path: &Path, most: u64) -> io::Result<String> {
        match self.real(path) {
            Some(real) if real.exists() => Disk.read(&real, most),
            _ if self.made.contains(path) => Ok(String::new()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn is_directory(&self, path: &Path) -> Option<bool> {
        if let Some(found) = self.real(path).and_then(|real| Disk.is_directory(&real)) {
            return Some(found);
        }
        if self.made.contains(path) {
            return Some(false);
        }
        let system = ["/", "/home", "/home/u", "/tmp", "/usr", "/usr/bin", "/bin", "/etc", "/var", "/dev", "/proc"];
        let above = self.made.iter().any(|made| made.starts_with(path)) || self.root.starts_with(path);
        (above || system.iter().any(|known| path == Path::new(known))).then_some(true)
    }

    fn size(&self, path: &Path) -> Option<u64> {
        self.real(path).and_then(|real| Disk.size(&real)).or_else(|| self.made.contains(path).then_some(0))
    }

    fn list(&self, path: &Path) -> Vec<String> {
        let mut names = self.real(path).map(|real| Disk.list(&real)).unwrap_or_default();
        let made = self.made.iter().filter_map(|made| made.strip_prefix(path).ok()?.iter().next()?.to_str());
        names.extend(made.map(str::to_owned));
        names.sort();
        names.dedup();
        names
    }

    fn real_path(&self, path: &Path) -> Option<PathBuf> {
        Some(path.to_path_buf())
    }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    /// Every word is the recorded one; a word that the recording found to differ from run to run is unknown.
    Identical,
    /// It fits, but so many words are unknown that the recording found to be the same in every run.
    Honest(usize),
    Wrong(String),
}

/// Matches words against recorded ones: an unknown word stands for one, an open one for any number.
fn compare(have: &Command, want: &Recorded) -> Verdict {
    let words: Vec<String> = [vec![want.program.clone()], want.argv.clone()].concat();
    let dynamic: BTreeSet<usize> = want.dynamic.iter().map(|i| i + 1).collect();
    let (rows, columns) = (have.argv.len(), words.len());
    // Cells tell how far the words agree; the best path tells where they stop to.
    let mut reached = vec![vec![false; columns + 1]; rows + 1];
    reached[0][0] = true;
    let mut furthest = (0, 0);
    for i in 0..=rows {
        for j in 0..=columns {
            if !reached[i][j] {
                continue;
            }
            furthest = furthest.max((i, j));
            let Some(word) = have.argv.get(i) else { continue };
            match &word.value {
                Ok(text) => {
                    let name = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
                    let same =
                        words.get(j) == Some(text) || (i == 0 && words.first().map(|w| name(w)) == Some(name(text)));
                    if same && !dynamic.contains(&j) {
                        reached[i + 1][j + 1] = true;
                    }
                }
                Err(_) => {
                    if j < columns {
                        reached[i + 1][j + 1] = true;
                    }
                    if have.open.contains(&i) {
                        (j..=columns).for_each(|to| reached[i + 1][to] = true);
                    }
                }
            }
        }
    }
    let unknown = have.argv.iter().filter(|word| word.value.is_err()).count();
    let word_for_word =
        rows == columns && have.argv.iter().enumerate().all(|(i, word)| word.value.is_err() == dynamic.contains(&i));
    let unknown = if word_for_word { 0 } else { unknown };
    match (reached[rows][columns], unknown) {
        (true, 0) => Verdict::Identical,
        (true, unknown) => Verdict::Honest(unknown),
        _ => {
            let (i, j) = furthest;
            let have = have.argv.get(i).map(|word| format!("{:?} at {:?}", word.value, word.places.first()));
            Verdict::Wrong(format!("word {i}: here {have:?}, bash {:?}", words.get(j)))
        }
    }
}

fn read(recording: &Recording, repositories: &Path, complete: bool) -> Option<(Launch, std::time::Duration)> {
    let checkout = repositories.join(recording.repo.replace('/', "+"));
    let text = std::fs::read(checkout.join(&recording.path)).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let root = PathBuf::from(&recording.repo_root);
    let directory: PathBuf = root.join(&recording.cwd).components().collect();
    let directory = PathBuf::from(directory.to_string_lossy().trim_end_matches("/."));
    let made =
        recording.files_created.iter().map(|file| directory.join(file)).map(|p| p.components().collect()).collect();
    let sandbox = Sandbox { root, checkout, made };
    let mut env: BTreeMap<String, String> = recording.env.clone();
    for (name, value) in [("HOME", "/home/u"), ("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8")] {
        env.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    let options = Options {
        env: env.into_iter().collect(),
        args: recording.args.clone(),
        complete,
        directory: Some(directory.clone()),
        files: &sandbox,
        ..Options::default()
    };
    let path = Path::new(&recording.path);
    let named = path.strip_prefix(Path::new(&recording.cwd)).unwrap_or(path);
    let start = std::time::Instant::now();
    let launch = read_script(named, &text, &options).ok()?;
    Some((launch, start.elapsed()))
}

fn measure(recordings: &[Recording], repositories: &Path, complete: bool) -> usize {
    let show = std::env::var("MOE_LINT_SHOW").ok();
    let (mut identical, mut honest, mut wrong, mut words, mut unknown_words, mut env_wrong) = (0, 0, 0, 0, 0, 0);
    let mut chosen = 0;
    let mut slowest = std::time::Duration::ZERO;
    let mut measured = 0;
    for recording in recordings {
        let Some(index) = recording.training_command else { continue };
        let Some((launch, took)) = read(recording, repositories, complete) else { continue };
        slowest = slowest.max(took);
        measured += 1;
        let want = &recording.commands[index];
        words += want.argv.len() + 1;
        // The command that fits best is the one; whether it is the one chosen is counted apart.
        let verdicts: Vec<Verdict> = launch.commands.iter().map(|command| compare(command, want)).collect();
        let best = verdicts.iter().position(|v| *v == Verdict::Identical).or_else(|| {
            let fits = verdicts
                .iter()
                .enumerate()
                .filter_map(|(i, v)| if let Verdict::Honest(n) = v { Some((*n, i)) } else { None });
            fits.min().map(|(_, i)| i)
        });
        let fits = |i: usize| !matches!(verdicts[i], Verdict::Wrong(_));
        let right =
            best.is_some() && launch.training.is_some_and(|i| fits(i) || launch.commands[i].via.is_some_and(fits));
        chosen += usize::from(right);
        match best.map(|best| &verdicts[best]) {
            Some(Verdict::Identical) => identical += 1,
            Some(Verdict::Honest(count)) => {
                honest += 1;
                unknown_words += count;
                if show.as_deref() == Some(&recording.id) || show.as_deref() == Some("all") {
                    println!("{} ({} dynamic)", recording.id, want.dynamic.len());
                    let command = &launch.commands[best.unwrap_or(0)];
                    for word in command.argv.iter().filter_map(|word| word.value.as_ref().err()) {
                        println!("  unknown {}: {}", word.name, word.reason);
                    }
                }
            }
            _ => {
                wrong += 1;
                let same =
                    |c: &Command| c.known(0).is_some_and(|p| p.rsplit('/').next() == want.program.rsplit('/').next());
                let said: Vec<&Verdict> =
                    launch.commands.iter().zip(&verdicts).filter(|(c, _)| same(c)).map(|(_, v)| v).take(3).collect();
                println!("{} {}: {said:?}", recording.id, recording.path);
                for remark in launch.remarks.iter().take(4) {
                    println!("    remark: {} {:?}", remark.message, remark.place.as_ref().map(|p| p.line_column().0));
                }
                for unknown in launch.unknowns.iter().take(6) {
                    println!("    unknown: {}: {}", unknown.name, unknown.reason);
                }
            }
        }
        if best.is_some() && !right {
            println!(
                "{}: chose {:?}, not {best:?}: {:?}",
                recording.id,
                launch.training,
                want.argv.iter().take(6).collect::<Vec<_>>()
            );
        }
        if show.as_deref() == Some(&recording.id) {
            for (i, command) in launch.commands.iter().enumerate() {
                let argv: Vec<_> = command
                    .argv
                    .iter()
                    .take(300)
                    .map(|w| w.value.clone().unwrap_or_else(|u| format!("<{}>", u.name)))
                    .collect();
                println!("  {i} line {} via {:?} {argv:?}", command.line, command.via);
            }
            println!("  want {:?}", want.argv);
        }
        if let Some(best) = best {
            let env: BTreeMap<_, _> =
                launch.commands[best].env.iter().map(|(n, w)| (n.clone(), w.value.clone())).collect();
            for (name, value) in want.env_delta.iter().filter(|(n, _)| !want.env_dynamic.contains(n) && *n != "OLDPWD")
            {
                match env.get(name) {
                    Some(Ok(found)) if found != value => {
                        env_wrong += 1;
                        println!("{}: env {name}: here {found:?}, bash {value:?}", recording.id);
                    }
                    _ => {}
                }
            }
        }
    }
    println!(
        "complete={complete}: {measured} scripts with a training command ({words} words): {identical} identical, {honest} with \
         unknown words ({unknown_words}), {wrong} wrong; {chosen} chosen rightly; {env_wrong} variables wrong; slowest {slowest:?}"
    );
    wrong
}

#[test]
fn recordings() {
    let (Ok(recordings), Ok(repositories)) =
        (std::env::var("MOE_LINT_RECORDINGS"), std::env::var("MOE_LINT_REPOSITORIES"))
    else {
        println!("skipped: MOE_LINT_RECORDINGS and MOE_LINT_REPOSITORIES are not set");
        return;
    };
    let text = std::fs::read_to_string(recordings).expect("the recordings");
    let all: Vec<Recording> = text.lines().map(|line| serde_json::from_str(line).expect("a recording")).collect();
    let all: Vec<Recording> = all.into_iter().filter(|recording| recording.kind == "bash").collect();
    let launched = all.iter().filter(|recording| recording.result == "launched").count();
    println!("{} scripts, {launched} launched", all.len());
    let wrong = measure(&all, Path::new(&repositories), true) + measure(&all, Path::new(&repositories), false);
    assert_eq!(wrong, 0);
}
