//! `moe-lint init`: settings for a repository, by looking at it.

use std::path::{Path, PathBuf};

use super::files;
use crate::check::{self, Input, Machine, Request};
use crate::checkpoint::snapshot;
use crate::cli::InitArgs;
use crate::error::Error;
use crate::launch::{Disk, Files, Limits, Options, read_script};
use crate::settings::{self, NAME};
use crate::terminal::Console;

/// A launch that was found.
struct Launch {
    /// Its path in the repository.
    path: String,
    /// Variables that it uses and does not set.
    unset: Vec<String>,
}

/// Writes `moe-lint.toml`.
///
/// # Errors
/// When there is one already, or nothing can be written.
pub fn run(args: &InitArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let path = args.directory.join(NAME);
    if Disk.is_directory(&path).is_some() {
        return Err(Error::Exists(path));
    }
    let found = settings::walk(&args.directory);
    let launches: Vec<Launch> = found.iter().filter_map(|file| launch(&args.directory, file)).collect();
    let snapshots: Vec<String> =
        found.iter().map(|file| portable(file)).filter(|f| f.ends_with(snapshot::SUFFIX)).collect();
    files::replace(&path, text(&launches, &snapshots).as_bytes())
        .map_err(|error| Error::Unwritable { path: path.clone(), error })?;
    let launches = match launches.len() {
        0 => "no launch was found: name yours in it".to_owned(),
        1 => "1 launch".to_owned(),
        n => format!("{n} launches"),
    };
    console.print(&format!("{}: {launches}\n", path.display()))?;
    Ok(0)
}

fn portable(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// The file as a launch, if a command of it trains.
fn launch(directory: &Path, file: &Path) -> Option<Launch> {
    if !file.extension().is_some_and(|end| ["sh", "bash", "slurm", "sbatch"].iter().any(|known| end == *known)) {
        return None;
    }
    let path: PathBuf = directory.join(file);
    let text = Disk.read(&path, Limits::default().text as u64).ok()?;
    let launch = read_script(&path, &text, &Options::default()).ok()?;
    launch.training_entry()?;
    let machine = Machine {
        framework: None,
        te: None,
        apex: true,
        world_size: None,
        tokenizer_size: None,
        told_by: None,
        env: Vec::new(),
    };
    let input = Input::Script { path, text, env: Vec::new(), args: Vec::new() };
    let request = Request { input, machine, checkpoint: None, command: None };
    let mut unset: Vec<String> = Vec::new();
    for unknown in check::schema(&request, None).into_iter().flat_map(|report| report.undetermined) {
        let name = unknown.name.trim_start_matches('$').trim_matches(['{', '}']).to_owned();
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if unknown.name.starts_with('$') && is_name && !unset.contains(&name) {
            unset.push(name);
        }
    }
    Some(Launch { path: portable(file), unset })
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The file's text.
fn text(launches: &[Launch], snapshots: &[String]) -> String {
    let mut out = "# What moe-lint checks here: `moe-lint check`. All names: docs/settings.md.\n\n\
                   # megatron = \"0.12.0\"   # else that of the copy that a launch imports, else every one\n\
                   # te = \"1.13\"           # Transformer Engine, or \"none\"\n"
        .to_owned();
    for launch in launches {
        out.push_str(&format!("\n[[target]]\nlaunch = [{}]\n", quoted(&launch.path)));
        match snapshots {
            [] => out.push_str("# checkpoint = \"...\"   # default: the one that the launch loads\n"),
            [one] => out.push_str(&format!("checkpoint = {}\n", quoted(one))),
            several => {
                for one in several {
                    out.push_str(&format!("# checkpoint = {}\n", quoted(one)));
                }
            }
        }
        if !launch.unset.is_empty() {
            let pairs: Vec<String> = launch.unset.iter().map(|name| format!("{name} = \"...\"")).collect();
            out.push_str(&format!("# env = {{ {} }}   # used by the script and set nowhere\n", pairs.join(", ")));
        }
    }
    if launches.is_empty() {
        out.push_str("\n# [[target]]\n# launch = [\"train/*.sh\"]\n# checkpoint = \"snapshots/run7.moe-lint.json\"\n");
    }
    out
}
