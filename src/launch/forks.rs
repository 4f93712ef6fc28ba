//! Flags that forks of the framework add: `rules/forks/*.toml`. They are known here, what they do is not.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Word;
use crate::rules::flags::Parser;
use crate::rules::{RuleError, check_files, embedded};

/// A fork and its flags, by the number of words that they take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// The fork's name.
    pub name: String,
    /// Starts of options that it makes from those of another program.
    #[serde(default)]
    prefixes: Vec<String>,
    /// Options without a value.
    #[serde(default)]
    none: Vec<String>,
    /// Options with one value.
    #[serde(default)]
    one: Vec<String>,
    /// Options that may have a value.
    #[serde(default)]
    optional: Vec<String>,
    /// Options with several values.
    #[serde(default)]
    many: Vec<String>,
}

/// A flag of a fork in a launch.
#[derive(Debug, Clone)]
pub struct ForkFlag {
    /// The fork.
    pub fork: &'static Fork,
    /// The flag.
    pub flag: String,
    /// The word that it stands in.
    pub word: Word,
}

static FORKS: LazyLock<Vec<Fork>> = LazyLock::new(|| {
    // A test checks that the embedded files are in order.
    embedded::below("forks/").filter_map(|(_, text)| toml::from_str(text).ok()).collect()
});

/// Checks the rule files.
pub(super) fn check_rules() -> Result<(), RuleError> {
    check_files::<Fork>(embedded::below("forks/"))
}

impl Fork {
    /// How many words follow a flag of this fork at least and at most; `None` for any other flag.
    fn takes(&self, flag: &str) -> Option<(usize, usize)> {
        let has = |list: &[String]| list.iter().any(|known| known == flag);
        if has(&self.none) {
            Some((0, 0))
        } else if has(&self.one) {
            Some((1, 1))
        } else if has(&self.many) {
            Some((0, usize::MAX))
        } else if has(&self.optional) || self.prefixes.iter().any(|prefix| flag.starts_with(prefix.as_str())) {
            Some((0, 1))
        } else {
            None
        }
    }
}

/// Parts the words of a training script: those that the framework's own parser reads, and the flags that a fork adds.
pub fn part(parser: &Parser, arguments: &[Word]) -> (Vec<Word>, Vec<ForkFlag>) {
    let options: Vec<&str> = arguments.iter().filter_map(option).filter(|o| parser.index_of(o).is_none()).collect();
    let hits = |fork: &Fork| options.iter().filter(|option| fork.takes(option).is_some()).count();
    // The fork that knows most of the flags goes first.
    let mut forks: Vec<(usize, &'static Fork)> = FORKS.iter().map(|fork| (hits(fork), fork)).collect();
    forks.retain(|(hits, _)| *hits > 0);
    forks.sort_by_key(|(hits, _)| std::cmp::Reverse(*hits));
    let (mut kept, mut found) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        at += 1;
        let known = option(word)
            .filter(|flag| parser.index_of(flag).is_none())
            .and_then(|flag| forks.iter().find_map(|(_, fork)| Some((*fork, flag, fork.takes(flag)?))));
        let Some((fork, flag, (least, most))) = known else {
            kept.push(word.clone());
            continue;
        };
        found.push(ForkFlag { fork, flag: flag.to_owned(), word: word.clone() });
        if word.value.as_deref().is_ok_and(|text| text.contains('=')) {
            continue;
        }
        let mut taken = 0;
        while taken < most
            && let Some(next) = arguments.get(at)
            && (taken < least || option(next).is_none())
        {
            (at, taken) = (at + 1, taken + 1);
        }
    }
    (kept, found)
}

/// The option that a word is.
fn option(word: &Word) -> Option<&str> {
    let text = word.value.as_deref().ok().filter(|text| text.starts_with("--"))?;
    Some(text.split_once('=').map_or(text, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::flags::FlagTable;
    use crate::text::Located;

    #[test]
    fn the_embedded_files_are_in_order() {
        for (path, text) in embedded::below("forks/") {
            let fork: Fork = toml::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let all: Vec<&String> = [&fork.none, &fork.one, &fork.optional, &fork.many].into_iter().flatten().collect();
            let apart: BTreeSet<&&String> = all.iter().collect();
            assert_eq!(all.len(), apart.len(), "{path}: a flag stands twice");
            assert!(!all.is_empty() && all.iter().all(|flag| flag.starts_with("--")), "{path}");
        }
        assert!(FORKS.len() > 5);
    }

    #[test]
    fn a_forks_flags_are_parted_from_the_frameworks() {
        let parser = FlagTable::load().expect("the flags").parser(&"0.12".parse().expect("a version"));
        let words = "--num-layers 2 --padded-samples --qk-layernorm --use-rotary-position-embeddings --n-group 8 --bf16 \
                     --sparse-mode=2 --json-keys a b --swiglu --gone 1";
        let words: Vec<Word> = words.split_whitespace().map(|word| Located::nowhere(Ok(word.to_owned()))).collect();
        let (kept, found) = part(&parser, &words);
        let text = |words: &[Word]| words.iter().filter_map(|w| w.value.clone().ok()).collect::<Vec<_>>().join(" ");
        let flags: Vec<&str> = found.iter().map(|flag| flag.flag.as_str()).collect();
        assert_eq!(
            text(&kept),
            "--num-layers 2 --qk-layernorm --use-rotary-position-embeddings --bf16 --swiglu --gone 1"
        );
        assert_eq!(flags, ["--padded-samples", "--n-group", "--sparse-mode", "--json-keys"]);
        assert_eq!(found[1].fork.name, "MindSpeed-LLM");
    }
}
