//! Reading the arguments that a launch takes over from a checkpoint.

use std::path::{Path, PathBuf};

use super::reading::Reading;
use crate::rules::expr::Scope;
use crate::rules::saved::SavedArguments;
use crate::rules::value::Value;
use crate::training::{ConfigError, saved};

/// Takes saved arguments over, if the launch asks for it: from the checkpoint that the user names, else from the launch's
/// own. Where there is no checkpoint to read, the launch's arguments stay, as the framework leaves them.
pub(super) fn take_over(values: &mut Scope<'_>, reading: &Reading<'_>) -> Result<(), ConfigError> {
    let given = reading.request.checkpoint.as_deref();
    let Value::Version(version) = values.get("version").clone() else { return Ok(()) };
    let rules = SavedArguments::load(&version)?;
    let failed = |error| ConfigError::Expression { rule: "the saved arguments".to_owned(), error };
    let asked = rules.when.eval(values).map_err(failed)?;
    if asked.truth() == Some(false) {
        return Ok(());
    }
    for source in &rules.sources {
        let path = match (&asked, source.path.eval(values).map_err(failed)?) {
            (Value::Unknown(_), _) => Err(asked.clone()),
            (_, Value::Str(path)) => Ok(given.map_or_else(|| PathBuf::from(&*path), Path::to_path_buf)),
            (_, unknown @ Value::Unknown(_)) => match given {
                Some(path) => Ok(path.to_path_buf()),
                None => Err(unknown),
            },
            _ => continue,
        };
        let step = source.step.eval(values).map_err(failed)?.int().and_then(|step| u64::try_from(step).ok());
        let read = path.map(|path| reading.files.checkpoint(&path, step));
        match &read {
            Err(unknown) => saved::take_over(&rules, values, Err(unknown.clone())).map_err(failed)?,
            Ok(Ok(checkpoint)) => {
                if let Some(saved) = &checkpoint.saved_args {
                    saved::take_over(&rules, values, Ok(saved)).map_err(failed)?;
                }
            }
            Ok(Err(_)) => {}
        }
    }
    Ok(())
}
