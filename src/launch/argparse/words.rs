//! Which words are options and which are arguments: argparse's first pass, `_parse_optional`.

use std::sync::Arc;

use crate::launch::Word;
use crate::rules::flags::Parser;
use crate::rules::value::Unknown;
use crate::text::Span;

/// What a word is, before anything takes it.
#[derive(Debug, Clone)]
pub(super) enum Token {
    /// An option, perhaps with its value behind `=`.
    Option {
        /// The place of its action in the parser.
        action: usize,
        /// The option string.
        option: String,
        /// The value behind `=`.
        explicit: Option<Word>,
    },
    /// What looks like an option that this parser does not have.
    Stranger,
    /// Anything else.
    Argument,
    /// The first `--`; what follows it is arguments.
    Dashes,
    /// A word that is not known: an argument, or any number of options and arguments.
    Open(Arc<Unknown>),
}

/// An option that is short for several.
type Ambiguity = (String, Vec<Span>);

/// Tells options from arguments.
pub(super) fn classify(parser: &Parser, argv: &[Word]) -> (Vec<Token>, Option<Ambiguity>) {
    let mut tokens = Vec::with_capacity(argv.len());
    let mut ambiguous = None;
    let mut behind_dashes = false;
    for word in argv {
        tokens.push(match &word.value {
            _ if behind_dashes => Token::Argument,
            Ok(text) if text == "--" => {
                behind_dashes = true;
                Token::Dashes
            }
            Ok(text) => optional(parser, text, word).unwrap_or_else(|message| {
                ambiguous.get_or_insert((message, word.places.iter().take(1).cloned().collect()));
                Token::Stranger
            }),
            Err(unknown) => unknown_word(parser, word, unknown),
        });
    }
    (tokens, ambiguous)
}

/// The text of a word: its own, or, where it is not known, the way it is written.
pub(super) fn text(word: &Word) -> &str {
    match &word.value {
        Ok(text) => text,
        Err(unknown) => word.places.first().map(Span::text).filter(|t| !t.is_empty()).unwrap_or(&unknown.name),
    }
}

/// Whether an unknown word is in double quotes as a whole, and so certainly one word (`"${LIST[@]}"` is not).
pub(super) fn is_quoted(word: &Word) -> bool {
    let written = text(word);
    written.len() > 1 && written.starts_with('"') && written.ends_with('"') && !written.contains('@')
}

fn optional(parser: &Parser, text: &str, word: &Word) -> Result<Token, String> {
    let explicit = |value: &str| Some(Word::new(Ok(value.to_owned()), word.places.clone()));
    let found = |action, option: &str, explicit| Ok(Token::Option { action, option: option.to_owned(), explicit });
    if !text.starts_with('-') {
        return Ok(Token::Argument);
    }
    if let Some(action) = parser.index_of(text) {
        return found(action, text, None);
    }
    if text.len() == 1 {
        return Ok(Token::Argument);
    }
    if let Some((option, value)) = text.split_once('=')
        && let Some(action) = parser.index_of(option)
    {
        return found(action, option, explicit(value));
    }
    let candidates = abbreviated(parser, text);
    match &*candidates {
        [] => {}
        [(action, option, value)] => return found(*action, option, value.and_then(explicit)),
        _ => {
            let options: Vec<&str> = candidates.iter().map(|(_, option, _)| *option).collect();
            return Err(format!("ambiguous option: {text} could match {}", options.join(", ")));
        }
    }
    // No parser here has options that look like numbers, the one case in which argparse would go on.
    let is_argument = is_negative_number(text) || text.contains(' ');
    Ok(if is_argument { Token::Argument } else { Token::Stranger })
}

/// `_get_option_tuples`: the options that the text may be short for, each with the value that comes with it.
fn abbreviated<'a>(parser: &'a Parser, text: &'a str) -> Vec<(usize, &'a str, Option<&'a str>)> {
    let options = || parser.actions.iter().enumerate().flat_map(|(i, a)| a.options.iter().map(move |o| (i, &**o)));
    if text.starts_with("--") {
        if !parser.allow_abbrev {
            return Vec::new();
        }
        let (prefix, value) = text.split_once('=').map_or((text, None), |(prefix, value)| (prefix, Some(value)));
        return options().filter(|(_, o)| o.starts_with(prefix)).map(|(i, o)| (i, o, value)).collect();
    }
    // A single dash: `-x` with its value glued on, or the beginning of a longer name.
    let end = text.char_indices().nth(2).map_or(text.len(), |(end, _)| end);
    let (short, glued) = text.split_at(end);
    options()
        .filter_map(|(i, o)| {
            let value = if o == short { Some(glued) } else { None };
            (o == short || o.starts_with(text)).then_some((i, o, value))
        })
        .collect()
}

/// argparse's `^-\d+$|^-\d*\.\d+$`. `-1e-5` is none, which is why argparse takes it for an option.
fn is_negative_number(text: &str) -> bool {
    let Some(number) = text.strip_prefix('-') else { return false };
    let number = number.strip_suffix('\n').unwrap_or(number);
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
    match fraction {
        None => !whole.is_empty() && digits(whole),
        Some(fraction) => digits(whole) && !fraction.is_empty() && digits(fraction),
    }
}

/// A word with an unknown in it. How it is written can show that it belongs to one option (`--lr=$LR`) or is no option.
fn unknown_word(parser: &Parser, word: &Word, unknown: &Arc<Unknown>) -> Token {
    let written = word.places.first().map_or("", Span::text);
    let bare = written.trim_start_matches(['"', '\'']);
    if let Some((option, _)) = bare.split_once('=')
        && let Some(action) = parser.index_of(option)
    {
        let explicit = Some(Word::new(Err(Arc::clone(unknown)), word.places.clone()));
        return Token::Option { action, option: option.to_owned(), explicit };
    }
    let decided = bare.chars().next().is_some_and(|first| !matches!(first, '$' | '`' | '-' | '<' | '>'));
    if decided { Token::Argument } else { Token::Open(Arc::clone(unknown)) }
}
