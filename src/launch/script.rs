//! Reading a launch from a file.

use std::path::Path;

use super::options::{LaunchError, Options};
use super::shell::{self, holes};
use super::{Launch, inputs, training};
use crate::text::Source;

/// The stack of the thread that follows a script: nesting is limited so that it suffices.
const STACK: usize = 256 << 20;

/// Follows a script without running anything, and tells which commands it would start. A YAML file, by its name, stands
/// for one command.
///
/// # Errors
/// Where the text is no launch or too large. What cannot be followed is no error: it is told in
/// [`Launch::unknowns`], and the words that depend on it say so.
pub fn read_script(path: &Path, text: &str, options: &Options<'_>) -> Result<Launch, LaunchError> {
    if inputs::is_yaml(path) {
        return inputs::read(path, text, options);
    }
    let path = path.to_path_buf();
    if text.len() > options.limits.text {
        return Err(LaunchError::TooLarge { path, size: text.len(), most: options.limits.text });
    }
    if text.contains('\0') {
        return Err(LaunchError::NotAScript { path, reason: "is not text".to_owned() });
    }
    if let Some(program) = text.lines().next().and_then(|line| line.strip_prefix("#!"))
        && (program.contains("python") || program.contains("perl"))
    {
        return Err(LaunchError::NotAScript { path, reason: format!("is a script for `{}`", program.trim()) });
    }
    let source = Source::file(&path, holes::without_holes(text.to_owned()));
    let name = path.to_string_lossy().into_owned();
    let followed = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("launch".to_owned()).stack_size(STACK);
        let thread = builder.spawn_scoped(scope, || shell::follow(&source, &name, options));
        thread.map(|thread| thread.join())
    });
    let mut launch = match followed {
        Ok(Ok(launch)) => launch,
        Ok(Err(_)) => return Err(LaunchError::Failed { path, reason: "following it failed".to_owned() }),
        Err(error) => return Err(LaunchError::Failed { path, reason: error.to_string() }),
    };
    training::choose(&mut launch);
    Ok(launch)
}
