//! Reading the size of the launch's vocabulary.

use std::path::Path;

use super::reading::Reading;
use crate::rules::expr::Scope;
use crate::rules::tokenizers;
use crate::rules::value::Value;
use crate::training::ConfigError;

/// The value that the rules see.
const TOKENS: &str = "tokens_in_files";
const NAME: &str = "the vocabulary size";

/// Sets the number of tokens in the files of the launch's tokenizer, or what the user says it is.
pub(super) fn read(values: &mut Scope<'_>, reading: &Reading<'_>) -> Result<(), ConfigError> {
    let tokens = match reading.request.machine.tokenizer_size {
        Some(told) => integer(told),
        None => counted(values, reading)?,
    };
    values.set(TOKENS, tokens);
    Ok(())
}

fn counted(values: &Scope<'_>, reading: &Reading<'_>) -> Result<Value, ConfigError> {
    let unknown = |reason: &str| Value::unknown(NAME, reason, Vec::new());
    let Value::Version(version) = values.get("version").clone() else { return Ok(unknown("is not told")) };
    for known in tokenizers::load(&version)? {
        let failed = |error| ConfigError::Expression { rule: "the tokenizer".to_owned(), error };
        let asked = known.when.eval(values).map_err(failed)?;
        match asked.truth() {
            Some(true) => {}
            Some(false) => continue,
            None => return Ok(asked),
        }
        let extra = match &known.extra {
            None => 0,
            Some(name) => match values.get(name) {
                extra @ Value::Unknown(_) => return Ok(extra.clone()),
                extra => extra.int().and_then(|extra| u64::try_from(extra).ok()).unwrap_or(0),
            },
        };
        return Ok(match values.get(&known.file) {
            path @ Value::Unknown(_) => path.clone(),
            Value::Str(path) => match reading.files.tokens(&known, Path::new(&**path), extra) {
                Ok(tokens) => integer(tokens),
                Err(error) => unknown(&format!("it comes from the tokenizer: {error}; --tokenizer-size N tells it")),
            },
            _ => unknown("comes from a tokenizer that the launch does not name; --tokenizer-size N tells it"),
        });
    }
    Ok(unknown("comes from a tokenizer whose files are not read here; --tokenizer-size N tells it"))
}

fn integer(tokens: u64) -> Value {
    Value::Int(i64::try_from(tokens).unwrap_or(i64::MAX))
}
