//! What Python's argparse makes of a command line.
//!
//! This follows `ArgumentParser._parse_known_args` of Python 3.11 for parsers that have options only, down to the texts of
//! its errors. Beyond argparse it bears words that nobody knows (`$EXTRA_ARGS`): such a word makes the value unknown
//! that it is given to, or it may stand for any option, and then it is listed as [`Parsed::open`].

mod convert;
mod expression;
mod python;
mod run;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Word;
use crate::rules::flags::Parser;
use crate::rules::value::{Unknown, Value};
use crate::text::Span;

/// What the command line means.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The namespace: every dest with its value, defaults included.
    pub arguments: BTreeMap<String, Argument>,
    /// The words that no option takes, in order.
    pub unrecognized: Vec<Word>,
    /// Why the program stops here; the first reason, as argparse knows no second one. What follows the refused words is
    /// nevertheless in `arguments`.
    pub rejection: Option<Rejection>,
    /// Words in whose place there could be any options.
    pub open: Vec<Arc<Unknown>>,
    /// Every use of an option, in order.
    pub uses: Vec<Used>,
}

/// An option on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Its place in [`Parser::actions`].
    pub action: usize,
    /// The indexes of the words that it takes, its own included.
    pub words: Range<usize>,
}

/// The value of a dest.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The value.
    pub value: Value,
    /// How it was given; `None` for a default.
    pub given: Option<Given>,
}

/// The use of an option that decided a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The option string, as the parser spells it.
    pub option: String,
    /// Where the option and then its values are written.
    pub places: Vec<Span>,
}

/// The program does not get past its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What argparse says after `error: `, or the last line of the traceback.
    pub message: String,
    /// How the program ends.
    pub ending: Ending,
    /// The option that is to blame, where it is one.
    pub option: Option<String>,
    /// Where the words to blame are written.
    pub places: Vec<Span>,
}

/// How a program ends that does not get past its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// argparse prints the usage and the message, and exits with 2.
    Usage,
    /// A conversion raises what argparse does not catch: a traceback, and exit code 1.
    Traceback,
    /// `--help`: exit code 0.
    Help,
}

impl Ending {
    /// The program's exit code.
    pub fn code(self) -> i32 {
        match self {
            Self::Usage => 2,
            Self::Traceback => 1,
            Self::Help => 0,
        }
    }
}

/// `parser.parse_args(argv)`: words that no option takes are an error. `argv` does not hold the program's name.
pub fn parse(parser: &Parser, argv: &[Word]) -> Parsed {
    let mut parsed = parse_known(parser, argv);
    if parsed.rejection.is_none() && !parsed.unrecognized.is_empty() {
        let words: Vec<&str> = parsed.unrecognized.iter().map(words::text).collect();
        parsed.rejection = Some(Rejection {
            message: format!("unrecognized arguments: {}", words.join(" ")),
            ending: Ending::Usage,
            option: None,
            places: parsed.unrecognized.iter().flat_map(|word| word.places.first().cloned()).collect(),
        });
    }
    parsed
}

/// `parser.parse_known_args(argv)`: words that no option takes are only listed.
pub fn parse_known(parser: &Parser, argv: &[Word]) -> Parsed {
    run::run(parser, argv)
}
