//! The user's text with a change made in it: every way of writing it is read again, and the first one counts whose
//! words are exactly the wanted ones, with every other command as it was.

use std::ops::Range;

use super::places::{self, Prefer};
use super::{Change, text};
use crate::launch::{Command, Launch, Word, quoted};
use crate::text::Source;

/// More ways than any text has; each costs a reading.
const MOST_WAYS: usize = 64;

/// The text of a launch's first source after a change; `None` where no way of writing it leaves everything else as it
/// was. `read` reads a text as the launch was read.
pub fn rewrite(launch: &Launch, change: &Change, read: &dyn Fn(&str) -> Option<Launch>) -> Option<String> {
    let mut now = launch.clone();
    let mut written = now.sources.first()?.text.clone();
    for step in change.steps() {
        let (new, launch) = one(&now, &step, read)?;
        (written, now) = (new, launch);
    }
    Some(written)
}

/// One step.
fn one(launch: &Launch, step: &Change, read: &dyn Fn(&str) -> Option<Launch>) -> Option<(String, Launch)> {
    let entry = launch.training_entry()?;
    let source = launch.sources.first()?;
    let wanted = step.words(entry.arguments);
    let ways = ways(step, entry.arguments, entry.script, source);
    ways.into_iter().take(MOST_WAYS).find_map(|new| {
        let other = read(&new)?;
        same(launch, &other, &wanted).then_some((new, other))
    })
}

/// Texts that may be what is wanted, the best first.
fn ways(step: &Change, arguments: &[Word], script: &Word, source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for gone in &step.remove {
        found.extend(without(gone, arguments, source));
    }
    for (at, new) in &step.replace {
        let Some(word) = arguments.get(*at) else { continue };
        // A value behind its option, an option, or both in one word.
        let option = at.checked_sub(1).and_then(|before| arguments.get(before)).filter(|_| !new.starts_with("--"));
        for (start, end) in places::of(word, option, source, Prefer::Value) {
            for new in replacements(word, new, &source.text[start..end]) {
                found.push(format!("{}{new}{}", &source.text[..start], &source.text[end..]));
            }
        }
    }
    if !step.add.is_empty() {
        let at = step.behind.or(arguments.len().checked_sub(1));
        let (word, option) = match at {
            Some(at) => (&arguments[at], option_of(arguments, at)),
            None => (script, None),
        };
        let words: Vec<String> = step.add.iter().map(|word| quoted(word)).collect();
        for (_, end) in places::of(word, option, source, Prefer::Use) {
            found.extend(text::with_words(&source.text, end, &words.join(" ")));
        }
    }
    found
}

/// The option in front of a value.
fn option_of(arguments: &[Word], at: usize) -> Option<&Word> {
    let is_option = |word: &Word| word.value.as_ref().is_ok_and(|text| text.starts_with("--"));
    if is_option(arguments.get(at)?) {
        return None;
    }
    arguments.get(at.checked_sub(1)?).filter(|word| is_option(word))
}

/// Texts without an option and its values.
fn without(gone: &Range<usize>, arguments: &[Word], source: &Source) -> Vec<String> {
    let Some(words) = arguments.get(gone.clone()) else { return Vec::new() };
    // For each word the places to take it out at; all combinations, the first places first.
    let mut ways: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
    for (index, word) in words.iter().enumerate() {
        let option = words.first().filter(|_| index == 1);
        let places = places::of(word, option, source, Prefer::Use);
        let extended = ways
            .iter()
            .flat_map(|way| places.iter().map(move |place| way.iter().copied().chain([*place]).collect::<Vec<_>>()));
        ways = extended.take(MOST_WAYS).collect();
    }
    let apart = |way: &mut Vec<(usize, usize)>| {
        way.sort_unstable();
        way.dedup();
        way.windows(2).all(|pair| pair[0].1 <= pair[1].0)
    };
    let taken = |mut way: Vec<(usize, usize)>| {
        apart(&mut way).then(|| {
            way.iter().rev().fold(source.text.clone(), |left, (start, end)| text::without(&left, *start, *end))
        })
    };
    ways.into_iter().filter_map(taken).collect()
}

/// What may stand in the place of a word, or of a part of it.
fn replacements(word: &Word, new: &str, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    // `--flag=$VALUE`: the place is that of the value alone.
    if let Ok(old) = &word.value
        && let (Some((head, old_value)), Some((new_head, new_value))) = (old.split_once('='), new.split_once('='))
        && head == new_head
        && place == old_value
    {
        found.push(quoted(new_value));
    }
    found.push(quoted(new));
    found
}

/// Whether another launch is the same but for the words that its training script receives.
fn same(launch: &Launch, other: &Launch, wanted: &[Word]) -> bool {
    let (Some(entry), Some(changed)) = (launch.training_entry(), other.training_entry()) else { return false };
    launch.training == other.training
        && launch.commands.len() == other.commands.len()
        && changed.arguments.iter().map(told).eq(wanted.iter().map(told))
        && launch.commands.iter().zip(&other.commands).enumerate().all(|(index, (before, after))| {
            if Some(index) == launch.training {
                head(before, entry.first_argument).eq(head(after, changed.first_argument))
            } else {
                // A wrapper repeats the words of what it starts.
                wraps(launch, index) || before.argv.iter().map(told).eq(after.argv.iter().map(told))
            }
        })
}

/// The words in front of the script's arguments.
fn head(command: &Command, first: usize) -> impl Iterator<Item = Result<&str, &str>> {
    command.argv.iter().take(first).map(told)
}

/// Whether a command starts the training one.
fn wraps(launch: &Launch, index: usize) -> bool {
    let mut via = launch.training_command().and_then(|command| command.via);
    while let Some(outer) = via {
        if outer == index {
            return true;
        }
        via = launch.commands.get(outer).and_then(|command| command.via).filter(|next| *next < outer);
    }
    false
}

/// A word, or the name of what is not known of it.
fn told(word: &Word) -> Result<&str, &str> {
    match &word.value {
        Ok(text) => Ok(text),
        Err(unknown) => Err(&unknown.name),
    }
}
