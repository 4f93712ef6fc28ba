//! A launch that was given as words: what stands after `--` on the user's own command line.

use std::path::PathBuf;

use crate::text::{Located, Source, Span};

use super::{Command, Launch, training};

/// The launch that some words are. Its source is the command line as it would be typed, so that places point into it.
pub fn from_argv(argv: &[String]) -> Launch {
    let mut text = String::new();
    let mut ranges = Vec::new();
    for word in argv {
        if !text.is_empty() {
            text.push(' ');
        }
        let quoted = quoted(word);
        // The place is that of the word without its quotes.
        let inset = usize::from(quoted.len() > word.len() && quoted.len() == word.len() + 2);
        ranges.push((text.len() + inset, text.len() + quoted.len() - inset));
        text.push_str(&quoted);
    }
    let source = Source::command_line(text);
    let words = argv.iter().zip(ranges).map(|(word, (start, end))| {
        let span = Span { source: source.clone(), start, end };
        Located::new(Ok(word.clone()), vec![span])
    });
    let directory = Some(PathBuf::from("."));
    let command = Command { argv: words.collect(), directory, line: 1, ..Command::default() };
    let mut launch = Launch { sources: vec![source], ..Launch::default() };
    if argv.is_empty() {
        return launch;
    }
    launch.commands.push(command);
    training::choose(&mut launch);
    launch
}

/// A word as it would be typed.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=+/.,:@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_point_into_the_command_line() {
        let argv = ["torchrun", "train.py", "--name", "my run", "--q", "it's"].map(str::to_owned);
        let launch = from_argv(&argv);
        assert_eq!(launch.sources[0].text, "torchrun train.py --name 'my run' --q 'it'\\''s'");
        let words: Vec<&str> = launch.commands[0].argv.iter().map(|word| word.places[0].text()).collect();
        assert_eq!(words, ["torchrun", "train.py", "--name", "my run", "--q", "'it'\\''s'"]);
        assert_eq!(launch.training, Some(0));
    }
}
