//! The folders that Python would search for a launch's imports, in its order.

use std::path::{Path, PathBuf};

use super::super::reading::Reading;
use crate::check::Input;
use crate::launch::{self, Command, Disk, Files, Launch, Options, Word};

/// One of the folders.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// What of the launch names it.
    pub because: String,
}

const PATH: &str = "PYTHONPATH";
/// Variables that name an environment's folder.
const ENVIRONMENTS: [&str; 2] = ["VIRTUAL_ENV", "CONDA_PREFIX"];

/// The folders; `None` where the first of them is not known or is not here.
pub(super) fn folders(reading: &Reading<'_>) -> Option<Vec<Folder>> {
    let launch = &*reading.launch;
    let command = launch.training_command()?;
    if launch.trains_elsewhere() {
        return None;
    }
    let directory = command.directory.as_deref()?;
    let entry = launch.training_entry()?;
    let script = entry.script.value.as_deref().ok()?;
    let path = if entry.module {
        Disk.real_path(directory)?
    } else {
        // Python looks beside the file itself, wherever a link to it lies.
        Disk.real_path(&directory.join(script))?.parent()?.to_path_buf()
    };
    let mut folders = vec![Folder { path, because: told("of the script", entry.script) }];
    let variables = Variables { reading, command };
    if let Some(paths) = variables.value(PATH)? {
        for path in paths.text.split(':').filter(|path| !path.is_empty()) {
            folders.push(Folder { path: directory.join(path), because: paths.because.clone() });
        }
    }
    if let Some(prefix) = environment(&variables, launch, command)? {
        folders.extend(packages(&prefix));
    }
    Some(folders)
}

/// A variable's value.
struct Value {
    text: String,
    because: String,
}

/// The variables that the training command sees.
struct Variables<'r> {
    reading: &'r Reading<'r>,
    command: &'r Command,
}

impl Variables<'_> {
    /// A variable's value; `None` where it is not known, `Some(None)` where nothing sets it.
    fn value(&self, name: &str) -> Option<Option<Value>> {
        match self.command.env.iter().find(|(known, _)| known == name) {
            None => {
                let given = self.given().iter().find(|(known, _)| known == name);
                let because = format!("{name} of --env");
                Some(given.map(|(_, text)| Value { text: text.clone(), because }))
            }
            Some((_, word)) => {
                let text = match &word.value {
                    Ok(text) => text.clone(),
                    // `$PYTHONPATH:/more`: what the launch itself adds is known.
                    Err(unknown) if unknown.name == format!("${name}") => self.without(name)?,
                    Err(_) => return None,
                };
                Some(Some(Value { text, because: told(name, word) }))
            }
        }
    }

    fn given(&self) -> &[(String, String)] {
        match &self.reading.request.input {
            Input::Script { env, .. } => env,
            Input::Words(_) => &[],
        }
    }

    /// The variable's value where it is empty before the launch.
    fn without(&self, name: &str) -> Option<String> {
        let Input::Script { path, text, env, args } = &self.reading.request.input else { return None };
        let mut env = env.clone();
        env.push((name.to_owned(), String::new()));
        let options = Options { env, args: args.clone(), ..Options::default() };
        let launch = launch::read_script(path, text, &options).ok()?;
        let command = launch.commands.get(self.reading.launch.training?)?;
        let (_, word) = command.env.iter().find(|(known, _)| known == name)?;
        word.value.clone().ok()
    }
}

/// The folder of the environment whose Python runs: by the program's own path, else by variables. `None` where it is not
/// known.
fn environment(variables: &Variables<'_>, launch: &Launch, command: &Command) -> Option<Option<Folder>> {
    let outer = std::iter::successors(Some(command), |inner| launch.commands.get(inner.via?));
    for command in outer.take(8) {
        let program = command.known(0).map(Path::new).filter(|program| program.is_absolute());
        let Some(bin) = program.and_then(Path::parent).filter(|bin| bin.ends_with("bin")) else { continue };
        let because = told("of the program", command.argv.first()?);
        if let Some(path) = bin.parent().filter(|prefix| Disk.is_directory(&prefix.join("lib")) == Some(true)) {
            return Some(Some(Folder { path: path.to_path_buf(), because }));
        }
    }
    for name in ENVIRONMENTS {
        if let Some(value) = variables.value(name)? {
            return Some(Some(Folder { path: PathBuf::from(value.text), because: value.because }));
        }
    }
    Some(None)
}

/// The package folders of an environment. Of several Pythons it is not known which one runs.
fn packages(prefix: &Folder) -> Option<Folder> {
    let lib = prefix.path.join("lib");
    let pythons = Disk.list(&lib).into_iter().filter(|name| name.starts_with("python3."));
    let found: Vec<PathBuf> = pythons
        .map(|name| lib.join(name).join("site-packages"))
        .filter(|packages| Disk.is_directory(packages) == Some(true))
        .collect();
    match found.as_slice() {
        [only] => Some(Folder { path: only.clone(), because: prefix.because.clone() }),
        _ => None,
    }
}

/// `PYTHONPATH at train.sh:12`.
fn told(what: &str, word: &Word) -> String {
    match word.places.first() {
        Some(span) if span.source.path.is_some() => {
            format!("{what} at {}:{}", span.source.name(), span.line_column().0)
        }
        _ => what.to_owned(),
    }
}
