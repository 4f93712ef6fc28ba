//! How the number of a tokenizer's tokens is read from its files.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::expr::Expr;
use super::ranged::{Ranged, picked};
use super::version::Version;
use super::{RuleError, check_expr, embedded};

/// A kind of tokenizer whose size its files tell.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    /// Whether the launch uses it.
    pub when: Expr,
    /// The argument that names its file or folder.
    pub file: String,
    /// What is counted there.
    pub read: Read,
    /// Tokens that are put in where the file does not have them.
    pub with: Vec<String>,
    /// Tokens that are put in for padding, begin and end, where the file has no control token for these.
    pub with_control: Vec<String>,
    /// The argument that tells how many more tokens are put in.
    pub extra: Option<String>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// The pieces of a SentencePiece model.
    Sentencepiece,
    /// The members of a JSON object.
    Json,
    /// The tokens of a Hugging Face tokenizer's folder.
    HuggingFace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokenizer: Vec<Raw>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    when: String,
    since: Option<String>,
    until: Option<String>,
    file: String,
    read: Read,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    with_control: Vec<String>,
    extra_ids: Option<String>,
}

const FILE: &str = "megatron/tokenizers.toml";

static ALL: LazyLock<Result<Vec<Ranged<Arc<Tokenizer>>>, RuleError>> = LazyLock::new(read);

fn read() -> Result<Vec<Ranged<Arc<Tokenizer>>>, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let mut all = Vec::new();
    for (index, raw) in file.tokenizer.into_iter().enumerate() {
        let place = format!("{path}, tokenizer {}", index + 1);
        let tokenizer = Tokenizer {
            when: check_expr(&place, &raw.when)?,
            file: raw.file,
            read: raw.read,
            with: raw.with,
            with_control: raw.with_control,
            extra: raw.extra_ids,
        };
        all.push(Ranged::new(&place, raw.since.as_deref(), raw.until.as_deref(), Arc::new(tokenizer))?);
    }
    Ok(all)
}

/// The tokenizers of a version, in the order to try.
///
/// # Errors
/// When the rule file cannot be read.
pub fn load(version: &Version) -> Result<Vec<Arc<Tokenizer>>, RuleError> {
    Ok(picked(ALL.as_ref().map_err(Clone::clone)?, version))
}
