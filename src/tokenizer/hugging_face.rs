//! The tokens of a Hugging Face tokenizer's folder, as `len(tokenizer)` of transformers counts them.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::checkpoint::CheckpointError;

/// `tokenizer.json` of the tokenizers library.
#[derive(Deserialize)]
struct TokenizerFile {
    #[serde(default)]
    added_tokens: Vec<Added>,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    content: String,
}

#[derive(Deserialize)]
struct Model {
    vocab: Vocabulary,
}

/// BPE and WordPiece map tokens to numbers, Unigram lists them with their scores.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vocabulary {
    Numbers(BTreeMap<String, Value>),
    Scores(Vec<(String, f64)>),
}

/// `tokenizer_config.json`: transformers adds the tokens that it names (PreTrainedTokenizerFast.__init__).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    added_tokens_decoder: BTreeMap<String, Added>,
    additional_special_tokens: Option<Vec<Value>>,
    bos_token: Option<Value>,
    eos_token: Option<Value>,
    unk_token: Option<Value>,
    sep_token: Option<Value>,
    pad_token: Option<Value>,
    cls_token: Option<Value>,
    mask_token: Option<Value>,
}

/// The distinct tokens of a folder.
pub(super) fn tokens(folder: &Path) -> Result<HashSet<String>, CheckpointError> {
    let path = folder.join("tokenizer.json");
    let tokenizer: TokenizerFile = super::json(&path, &super::file(&path)?)?;
    let mut tokens: HashSet<String> = match tokenizer.model.vocab {
        Vocabulary::Numbers(numbers) => numbers.into_keys().collect(),
        Vocabulary::Scores(scores) => scores.into_iter().map(|(token, _)| token).collect(),
    };
    tokens.extend(tokenizer.added_tokens.into_iter().map(|added| added.content));
    let path = folder.join("tokenizer_config.json");
    // Without it only tokenizer.json counts.
    let Ok(bytes) = super::file(&path) else { return Ok(tokens) };
    let config: Config = super::json(&path, &bytes)?;
    tokens.extend(config.added_tokens_decoder.into_values().map(|added| added.content));
    let special = [
        config.bos_token,
        config.eos_token,
        config.unk_token,
        config.sep_token,
        config.pad_token,
        config.cls_token,
        config.mask_token,
    ];
    let special = special.into_iter().flatten().chain(config.additional_special_tokens.into_iter().flatten());
    tokens.extend(special.filter_map(|token| match token {
        Value::String(token) => Some(token),
        Value::Object(mut added) => match added.remove("content") {
            Some(Value::String(token)) => Some(token),
            _ => None,
        },
        _ => None,
    }));
    Ok(tokens)
}
