//! The rule engine: framework knowledge is data in `rules/`, this module reads and evaluates it.

pub mod arguments_file;
pub mod causes;
pub mod convert;
pub mod embedded;
pub mod expr;
pub mod facts;
pub mod flags;
pub mod infer;
pub mod key_form;
pub mod loader;
pub mod modules;
pub mod name;
pub mod processes;
mod ranged;
pub mod releases;
pub mod repair;
pub mod saved;
pub mod steps;
pub mod storage;
pub mod template;
pub mod tokenizers;
pub mod value;
pub mod version;

use expr::Expr;
use template::Template;

/// A rule file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", embedded::shown(.place))]
pub struct RuleError {
    /// The file, and the entry where one is to blame.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl RuleError {
    /// An error at that place.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// Whether rule files are of a form.
pub(crate) fn check_files<'f, T: serde::de::DeserializeOwned>(
    files: impl Iterator<Item = (&'f str, &'f str)>,
) -> Result<(), RuleError> {
    for (path, text) in files {
        toml::from_str::<T>(text).map_err(|error| RuleError::new(path, error.to_string()))?;
    }
    Ok(())
}

/// Reads the rules that a check needs last while it still reads the launch: half of a check's time is reading rules.
/// Errors come out where the rules are used.
pub(crate) fn read_ahead() {
    // Where no thread can be had, they are read when they are needed.
    let _ = std::thread::Builder::new().spawn(|| {
        steps::read_ahead();
        loader::read_ahead();
        let _ = causes::all();
    });
}

pub(crate) fn check_expr(place: &str, text: &str) -> Result<Expr, RuleError> {
    Expr::parse(text).map_err(|e| RuleError::new(place, e.to_string()))
}

pub(crate) fn check_template(place: &str, text: &str) -> Result<Template, RuleError> {
    Template::parse(text).map_err(|e| RuleError::new(place, e.to_string()))
}
