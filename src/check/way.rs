//! A way out as what it changes: words of the command line, or settings of the file that takes their place.

use std::path::Path;

use super::reading::Reading;
use super::request;
use super::understand::Understood;
use crate::diagnose::{Candidate, Edit};
use crate::fix::{self, Change};
use crate::launch::Word;
use crate::launch::argparse::parse_known;
use crate::rules::arguments_file::ArgumentsFile;
use crate::rules::flags::ActionKind;
use crate::rules::value::Value;

/// What a way out changes.
pub(super) enum Way {
    /// Words.
    Words(Change),
    /// Settings of a file.
    Settings(Vec<Changed>),
}

/// A setting that gets another value.
pub(super) struct Changed {
    /// Its name in the file.
    key: String,
    /// The argument that it gives.
    dest: String,
    /// The new value.
    value: Value,
}

impl Way {
    /// What a candidate changes; `None` where that is nothing, or cannot be said in the file.
    pub fn of(candidate: &Candidate, understood: &Understood) -> Option<Self> {
        match understood.config.file {
            None => fix::change(candidate, understood.arguments(), &understood.parser).map(Self::Words),
            Some(_) => settings(candidate, understood).map(Self::Settings),
        }
    }

    /// The launch with the change made.
    pub fn taken<'r>(&self, reading: &Reading<'r>, understood: &Understood) -> Option<Reading<'r>> {
        Some(match self {
            Self::Words(change) => reading.changed(change.applied(&understood.launch)?),
            Self::Settings(all) => {
                reading.with_settings(all.iter().map(|one| (one.key.clone(), one.value.clone())).collect())
            }
        })
    }

    /// What to do, in a few words; `None` where the candidate's own title says it.
    pub fn title(&self, understood: &Understood) -> Option<String> {
        let (Self::Settings(all), Some(file)) = (self, &understood.config.file) else { return None };
        let name = Path::new(file).file_name().unwrap_or(file.as_os_str()).display();
        let set: Vec<String> = all.iter().map(|one| format!("{}: {}", one.key, written(&one.value))).collect();
        Some(format!("set {} in {name}", set.join(", ")))
    }

    /// The edits of the user's texts that make the change.
    pub fn edits(&self, reading: &Reading<'_>, understood: &Understood) -> Vec<Edit> {
        match self {
            Self::Words(change) => request::edits(&reading.request.input, &understood.launch, change),
            Self::Settings(all) => {
                let edit = |one: &Changed| {
                    // The key's place is followed by that of its value.
                    let span = understood.config.given.get(&one.dest)?.places.get(1)?.clone();
                    let plain = !span.text().is_empty() && !span.text().contains(['\n', '"', '\'', '[', '{']);
                    plain.then(|| Edit { span, replacement: written(&one.value) })
                };
                all.iter().map(edit).collect::<Option<_>>().unwrap_or_default()
            }
        }
    }
}

/// The settings that stand for a candidate's options; those that the file does not have cannot be changed.
fn settings(candidate: &Candidate, understood: &Understood) -> Option<Vec<Changed>> {
    let rules = ArgumentsFile::load(understood.target.version()).ok()?;
    let words: Vec<Word> = candidate.add.iter().map(|word| Word::nowhere(Ok(word.clone()))).collect();
    let added = parse_known(&understood.parser, &words).arguments;
    let given = added.into_iter().filter(|(_, argument)| argument.given.is_some());
    let mut values: Vec<(String, Value)> = given.map(|(dest, argument)| (dest, argument.value)).collect();
    for action in candidate.remove.iter().filter_map(|option| understood.parser.action(option)) {
        if values.iter().all(|(dest, _)| *dest != *action.dest) {
            let without = if action.kind == ActionKind::Store { Value::None } else { action.default.clone() };
            values.push((action.dest.to_string(), without));
        }
    }
    let config = &understood.config;
    let means_nothing = |dest: &String| rules.unread.contains(dest) && !rules.named.contains_key(dest);
    values.retain(|(dest, value)| config.values.get(dest) != value && !means_nothing(dest));
    let changed = values.into_iter().map(|(dest, value)| {
        config.given.contains_key(&dest).then(|| {
            let key = rules.named.get(&dest).unwrap_or(&dest).clone();
            Changed { key, dest, value }
        })
    });
    changed.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}

/// A value as YAML has it.
fn written(value: &Value) -> String {
    match value {
        Value::None => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        other => other.to_string(),
    }
}
