//! What the words of a launch are to the training program: its flags, each with its value and its place.

use std::collections::HashMap;
use std::sync::Arc;

use super::arguments_file;
use super::own_arguments;
use super::reading::Reading;
use super::request::Request;
use super::target::Target;
use crate::error::Error;
use crate::launch::{Word, argparse, entry_point, forks};
use crate::report::{ArgumentsReport, Flag};
use crate::rules::flags::{FlagTable, Parser};
use crate::rules::value::Value;
use crate::text::Span;

/// What a launch would run, and the flags of the command that trains. No flag is judged.
///
/// # Errors
/// When the launch cannot be read.
pub fn arguments(request: &Request) -> Result<ArgumentsReport, Error> {
    let reading = Reading::new(request)?;
    let target = Target::nearest(&reading)?;
    let parser = FlagTable::load()?.parser(target.version());
    let flags = reading.launch.training_entry().map_or_else(Vec::new, |entry| {
        match entry_point(&entry).filter(|point| point.own_arguments) {
            Some(point) => own_arguments::flags(&parser, &point.framework, entry.arguments),
            None => {
                let words = flags(&parser, entry.arguments);
                let settings = arguments_file::listed(&words, &parser, target.version(), &reading);
                words.into_iter().chain(settings).collect()
            }
        }
    });
    Ok(ArgumentsReport { framework: target.framework, launch: reading.launch, flags })
}

/// The flags in the order of their last use, which is the one that counts.
fn flags(parser: &Parser, words: &[Word]) -> Vec<Flag> {
    let (_, added) = forks::part(parser, words);
    let forks: HashMap<&str, &str> = added.iter().map(|one| (one.flag.as_str(), one.fork.name.as_str())).collect();
    let parsed = argparse::parse_known(parser, words);
    let defaults = parser.defaults();
    let positions = positions(words);
    let position = |place: Option<&Span>| {
        let known = place.and_then(|place| positions.get(&(place.start, place.end)));
        let known = known.into_iter().flatten().rev().find(|at| words[**at].places.first() == place);
        known.copied().unwrap_or(words.len())
    };
    let mut flags: Vec<(usize, Flag)> = Vec::new();
    for (dest, argument) in parsed.arguments {
        let Some(given) = argument.given else { continue };
        let default = defaults.get(&dest).cloned().unwrap_or(Value::None);
        let at = position(given.places.first());
        let flag = Flag {
            flag: given.option,
            dest: Some(dest),
            fork: None,
            value: argument.value,
            default,
            labels: given.places,
        };
        flags.push((at, flag));
    }
    flags.extend(strangers(&parsed.unrecognized).map(|mut flag| {
        flag.fork = forks.get(flag.flag.as_str()).map(|fork| (*fork).to_owned());
        (position(flag.labels.first()), flag)
    }));
    flags.sort_by_key(|(at, _)| *at);
    flags.into_iter().map(|(_, flag)| flag).collect()
}

/// The indexes of words by the range that they are written in, whatever the text.
fn positions(words: &[Word]) -> HashMap<(usize, usize), Vec<usize>> {
    let mut positions: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
    for (at, word) in words.iter().enumerate() {
        if let Some(place) = word.places.first() {
            positions.entry((place.start, place.end)).or_default().push(at);
        }
    }
    positions
}

/// Flags that the framework does not know, with the words behind each as its value.
fn strangers(words: &[Word]) -> impl Iterator<Item = Flag> {
    let mut flags: Vec<(Flag, Vec<Value>)> = Vec::new();
    for word in words {
        let text = word.value.as_deref();
        match text {
            Ok(text) if text.starts_with("--") && text.len() > 2 => {
                let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
                let flag = Flag {
                    flag: name.to_owned(),
                    dest: None,
                    fork: None,
                    value: Value::None,
                    default: Value::None,
                    labels: word.places.first().cloned().into_iter().collect(),
                };
                flags.push((flag, value.map(Value::str).into_iter().collect()));
            }
            _ => {
                // Words before the first flag are no flag's value.
                let Some((flag, values)) = flags.last_mut() else { continue };
                flag.labels.extend(word.places.first().cloned());
                values.push(match &word.value {
                    Ok(text) => Value::str(text),
                    Err(unknown) => Value::Unknown(Arc::clone(unknown)),
                });
            }
        }
    }
    flags.into_iter().map(|(flag, values)| Flag { value: own_arguments::joined(values), ..flag })
}
