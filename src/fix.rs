//! Ways out: changes of a launch, as the words that result and as the user's own text rewritten.
//!
//! A [`Change`] speaks of the script's arguments. [`rewrite`] finds the text that has exactly these words when it is
//! read again, and nothing else changed; [`edits`] says it as replacements in the text that the user wrote.

mod places;
mod rewrite;
mod text;

pub use rewrite::rewrite;
pub use text::{applied, edits, unified};

use std::ops::Range;

use crate::diagnose::Candidate;
use crate::launch::argparse::{Used, parse_known};
use crate::launch::{Launch, Word};
use crate::rules::flags::{ActionKind, Nargs, Parser};

/// A change of a launch's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Words of the script's arguments that go, option by option: each with its values.
    pub remove: Vec<Range<usize>>,
    /// Words that become others.
    pub replace: Vec<(usize, String)>,
    /// Words that come.
    pub add: Vec<String>,
    /// The index of the argument that they come behind; `None`: behind the last.
    pub behind: Option<usize>,
}

/// The change that a candidate makes to a script's arguments; `None` when it changes nothing.
pub fn change(candidate: &Candidate, arguments: &[Word], parser: &Parser) -> Option<Change> {
    let uses = parse_known(parser, arguments).uses;
    let of = |option: &str| {
        let action = parser.index_of(option);
        uses.iter().filter(move |used| Some(used.action) == action)
    };
    let mut change = Change::default();
    for option in &candidate.remove {
        change.remove.extend(of(option).map(|used| used.words.clone()));
    }
    for words in groups(&candidate.add) {
        match instead(words, arguments, parser, &uses) {
            Some((kept, replaced)) => {
                change.remove.retain(|gone| *gone != kept);
                change.replace.extend(replaced);
            }
            None => change.add.extend(words.iter().cloned()),
        }
    }
    change.remove.sort_by_key(|gone| gone.start);
    change.remove.dedup();
    if let Some(behind) = &candidate.behind {
        let last = of(behind).next_back().and_then(|used| used.words.clone().next_back());
        change.behind = last.filter(|at| !change.remove.iter().any(|gone| gone.contains(at)));
    }
    (change != Change { behind: change.behind, ..Change::default() }).then_some(change)
}

/// Words in groups of an option and its values.
fn groups(words: &[String]) -> impl Iterator<Item = &[String]> {
    words.chunk_by(|_, next| !next.starts_with("--"))
}

/// A use of an option that stays, and its words that become others.
type Instead = (Range<usize>, Vec<(usize, String)>);

/// What an option with one value replaces, where the launch gives one to the same dest already: the use that stays, and
/// its words that become others. The last use counts.
fn instead(words: &[String], arguments: &[Word], parser: &Parser, uses: &[Used]) -> Option<Instead> {
    let [option, value] = words else { return None };
    let wanted = parser.index_of(option)?;
    let dest = &parser.actions[wanted].dest;
    let used = uses.iter().rfind(|used| parser.actions[used.action].dest == *dest)?;
    let action = &parser.actions[used.action];
    if action.kind != ActionKind::Store || action.nargs != Nargs::One {
        return None;
    }
    let at = used.words.clone();
    let mut new = Vec::new();
    if at.len() == 1 {
        let (head, _) = arguments.get(at.start)?.value.as_ref().ok()?.split_once('=')?;
        let head = if used.action == wanted { head } else { option };
        new.push((at.start, format!("{head}={value}")));
    } else {
        if used.action != wanted {
            new.push((at.start, option.clone()));
        }
        new.push((at.start + 1, value.clone()));
    }
    let same = |(index, text): &(usize, String)| arguments[*index].value.as_ref().is_ok_and(|word| word == text);
    new.retain(|one| !same(one));
    Some((at, new))
}

impl Change {
    /// The words after the change; words that are not known stay so.
    pub fn words(&self, arguments: &[Word]) -> Vec<Word> {
        let new = |text: &String| Word::nowhere(Ok(text.clone()));
        let mut out = Vec::new();
        for (index, word) in arguments.iter().enumerate() {
            if !self.remove.iter().any(|gone| gone.contains(&index)) {
                let replaced = self.replace.iter().find(|(at, _)| *at == index);
                out.push(replaced.map_or_else(|| word.clone(), |(_, text)| new(text)));
            }
            if self.behind == Some(index) {
                out.extend(self.add.iter().map(new));
            }
        }
        if self.behind.is_none() {
            out.extend(self.add.iter().map(new));
        }
        out
    }

    /// The launch with these words.
    pub fn applied(&self, launch: &Launch) -> Option<Launch> {
        let entry = launch.training_entry()?;
        let (first, new) = (entry.first_argument, self.words(entry.arguments));
        let mut changed = launch.clone();
        let command = changed.commands.get_mut(launch.training?)?;
        command.argv.truncate(first);
        command.argv.extend(new);
        Some(changed)
    }

    /// The same in steps, each of one option; done in this order, the indexes stay right.
    fn steps(&self) -> Vec<Self> {
        let mut steps: Vec<(usize, Self)> = Vec::new();
        for gone in &self.remove {
            steps.push((gone.start, Self { remove: vec![gone.clone()], ..Self::default() }));
        }
        for (at, text) in &self.replace {
            steps.push((*at, Self { replace: vec![(*at, text.clone())], ..Self::default() }));
        }
        if !self.add.is_empty() {
            let at = self.behind.unwrap_or(usize::MAX);
            steps.push((at, Self { add: self.add.clone(), behind: self.behind, ..Self::default() }));
        }
        steps.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        steps.into_iter().map(|(_, step)| step).collect()
    }
}
