//! argparse's second pass: options take their words, and act on the namespace.

use std::sync::Arc;

use super::convert::{self, Failure};
use super::words::{self, Token};
use super::{Argument, Ending, Given, Parsed, Rejection, Used, python};
use crate::launch::Word;
use crate::rules::flags::{Action, ActionKind, Nargs, Parser};
use crate::rules::value::Value;
use crate::text::Span;

/// Reads the whole command line.
pub(super) fn run(parser: &Parser, argv: &[Word]) -> Parsed {
    let mut run = Run::new(parser, argv);
    run.read();
    run.require();
    run.parsed
}

/// One pass over a command line.
struct Run<'a> {
    parser: &'a Parser,
    argv: &'a [Word],
    tokens: Vec<Token>,
    seen: Vec<bool>,
    parsed: Parsed,
}

/// An option and the words it got.
struct Use<'a> {
    action: &'a Action,
    option: &'a str,
    words: Vec<Word>,
    places: Vec<Span>,
}

impl<'a> Run<'a> {
    fn new(parser: &'a Parser, argv: &'a [Word]) -> Self {
        let defaults = parser.defaults().into_iter();
        let arguments = defaults.map(|(dest, value)| (dest, Argument { value, given: None })).collect();
        let mut parsed =
            Parsed { arguments, unrecognized: Vec::new(), rejection: None, open: Vec::new(), uses: Vec::new() };
        let (tokens, ambiguous) = words::classify(parser, argv);
        if let Some((message, places)) = ambiguous {
            parsed.rejection = Some(Rejection { message, ending: Ending::Usage, option: None, places });
        }
        Self { parser, argv, tokens, seen: vec![false; parser.actions.len()], parsed }
    }

    fn read(&mut self) {
        let mut at = 0;
        // Words after an unknown one may be the values of an option that it stands for.
        let mut behind_open = false;
        while at < self.tokens.len() {
            let word = &self.argv[at];
            match &self.tokens[at] {
                Token::Open(unknown) => {
                    self.parsed.open.push(Arc::clone(unknown));
                    behind_open = true;
                    at += 1;
                }
                Token::Argument | Token::Dashes => {
                    if !behind_open {
                        self.parsed.unrecognized.push(word.clone());
                    }
                    at += 1;
                }
                Token::Stranger => {
                    self.parsed.unrecognized.push(word.clone());
                    behind_open = false;
                    at += 1;
                }
                Token::Option { .. } => {
                    behind_open = false;
                    at = self.option(at);
                }
            }
        }
    }

    /// Handles the option at that place; gives the place after its words.
    fn option(&mut self, at: usize) -> usize {
        let Token::Option { action: index, option, explicit } = self.tokens[at].clone() else { return at + 1 };
        let parser = self.parser;
        let (mut index, mut option, mut explicit) = (index, option, explicit);
        let places: Vec<Span> = self.argv[at].places.first().cloned().into_iter().collect();
        let mut uses = Vec::new();
        let end = loop {
            let action = &*parser.actions[index];
            self.seen[index] = true;
            let Some(word) = explicit.take() else {
                match self.following(action, at + 1) {
                    Ok(words) => {
                        let end = at + 1 + words.len();
                        uses.push((index, option, words));
                        break end;
                    }
                    Err(message) => {
                        self.refuse_use(action, &option, message, &places);
                        return at + 1;
                    }
                }
            };
            let text = word.value.as_deref().unwrap_or("?").to_owned();
            match action.nargs {
                Nargs::One | Nargs::Optional | Nargs::Any | Nargs::Some | Nargs::Exactly(1) => {
                    uses.push((index, option, vec![word]));
                    break at + 1;
                }
                // -xyz is -x -y -z where they take no words.
                Nargs::Exactly(0) if !option.starts_with("--") && !text.is_empty() => {
                    uses.push((index, option, Vec::new()));
                    let mut rest = text.chars();
                    let next: String = rest.next().map(|c| format!("-{c}")).unwrap_or_default();
                    let Some(found) = parser.index_of(&next) else {
                        self.refuse_use(action, &next, python::ignored_explicit(&text), &places);
                        return at + 1;
                    };
                    let rest = rest.as_str();
                    explicit = (!rest.is_empty()).then(|| Word::new(Ok(rest.to_owned()), word.places.clone()));
                    (index, option) = (found, next);
                }
                Nargs::Exactly(0) => {
                    self.refuse_use(action, &option, python::ignored_explicit(&text), &places);
                    return at + 1;
                }
                Nargs::Exactly(n) => {
                    self.refuse_use(action, &option, format!("expected {n} arguments"), &places);
                    return at + 1;
                }
            }
        };
        for (index, option, words) in uses {
            self.parsed.uses.push(Used { action: index, words: at..end });
            let places = places.iter().cloned().chain(words.iter().flat_map(|w| w.places.first().cloned())).collect();
            self.take(Use { action: &parser.actions[index], option: &option, words, places });
        }
        end
    }

    /// The words from that place on that the action takes, or argparse's complaint.
    fn following(&mut self, action: &Action, from: usize) -> Result<Vec<Word>, String> {
        let is_word = |token: &&Token| matches!(token, Token::Argument | Token::Open(_));
        let run = self.tokens[from.min(self.tokens.len())..].iter().take_while(is_word).count();
        let words = &self.argv[from..from + run];
        let unknown = |words: &[Word]| words.iter().any(|word| word.value.is_err());
        let count = match action.nargs {
            Nargs::One if run == 0 => return Err("expected one argument".to_owned()),
            Nargs::Some if run == 0 => return Err("expected at least one argument".to_owned()),
            Nargs::One => 1,
            Nargs::Optional => run.min(1),
            Nargs::Any | Nargs::Some => run,
            // An unquoted unknown word can be several words: it may fill what seems to be missing.
            Nargs::Exactly(n) if run < n && unknown(words) => run,
            Nargs::Exactly(1) if run == 0 => return Err("expected 1 argument".to_owned()),
            Nargs::Exactly(n) if run < n => return Err(format!("expected {n} arguments")),
            Nargs::Exactly(n) => n,
        };
        // Where one word is needed, the first unknown word is it. Behind that it can be options as well.
        let needed = if matches!(action.nargs, Nargs::Optional) { 0 } else { 1 };
        if !matches!(action.nargs, Nargs::Exactly(_)) {
            for at in (from + needed)..(from + count) {
                if let (Token::Open(unknown), false) = (&self.tokens[at], words::is_quoted(&self.argv[at])) {
                    self.parsed.open.push(Arc::clone(unknown));
                }
            }
        }
        Ok(words[..count].to_vec())
    }

    /// `take_action`: converts the words and acts on the namespace.
    fn take(&mut self, usage: Use<'_>) {
        let value = match values(&usage) {
            Ok(value) => value,
            Err(Failure::Invalid(message)) => {
                return self.refuse_use(usage.action, usage.option, message, &usage.places);
            }
            Err(Failure::Raised(message)) => {
                return self.refuse(message, Ending::Traceback, Some(usage.option), &usage.places);
            }
        };
        let dest = usage.action.dest.to_string();
        let value = match usage.action.kind {
            ActionKind::Store => value,
            ActionKind::StoreConst | ActionKind::StoreTrue | ActionKind::StoreFalse => usage.action.constant.clone(),
            ActionKind::BooleanOptional => Value::Bool(!usage.option.starts_with("--no-")),
            ActionKind::Append => {
                let mut items = match self.parsed.arguments.get(&dest).map(|argument| &argument.value) {
                    Some(Value::List(items)) => items.to_vec(),
                    _ => Vec::new(),
                };
                items.push(value);
                Value::List(items.into())
            }
            ActionKind::Help => return self.refuse(String::new(), Ending::Help, Some(usage.option), &usage.places),
        };
        let given = Given { option: usage.option.to_owned(), places: usage.places };
        self.parsed.arguments.insert(dest, Argument { value, given: Some(given) });
    }

    /// Required flags that were not given; unless an unknown word may have been one of them.
    fn require(&mut self) {
        let missing = |(action, seen): &(&Arc<Action>, &bool)| action.required && !**seen;
        let names: Vec<String> =
            self.parser.actions.iter().zip(&self.seen).filter(missing).map(|(action, _)| action.name()).collect();
        if !names.is_empty() && self.parsed.open.is_empty() {
            let message = format!("the following arguments are required: {}", names.join(", "));
            self.refuse(message, Ending::Usage, None, &[]);
        }
    }

    fn refuse_use(&mut self, action: &Action, option: &str, message: String, places: &[Span]) {
        let message = format!("argument {}: {message}", action.name());
        self.refuse(message, Ending::Usage, Some(option), places);
    }

    fn refuse(&mut self, message: String, ending: Ending, option: Option<&str>, places: &[Span]) {
        let option = option.map(str::to_owned);
        let rejection = Rejection { message, ending, option, places: places.to_vec() };
        self.parsed.rejection.get_or_insert(rejection);
    }
}

/// `_get_values`: what the words of one use are together.
fn values(usage: &Use<'_>) -> Result<Value, Failure> {
    let action = usage.action;
    let mut words: Vec<&Word> = usage.words.iter().collect();
    if let Some(unknown) = words.iter().find_map(|word| word.value.as_ref().err()) {
        return Ok(Value::Unknown(Arc::clone(unknown)));
    }
    // argparse takes out the first `--`, even from `--flag=--`.
    if let Some(dashes) = words.iter().position(|word| words::text(word) == "--") {
        words.remove(dashes);
    }
    let one = |word: &Word| convert::checked(action, words::text(word));
    match (action.nargs, &*words) {
        (Nargs::Optional, []) => match &action.constant {
            Value::Str(text) => convert::checked(action, text),
            constant => Ok(constant.clone()),
        },
        (Nargs::One | Nargs::Optional, [word]) => one(word),
        // A list is converted as a whole before any of it is compared with the choices. `--flag=--` comes here, too:
        // argparse stores an empty list.
        _ => {
            let items: Vec<Value> =
                words.iter().map(|w| convert::convert(action, words::text(w))).collect::<Result<_, _>>()?;
            items.iter().try_for_each(|item| convert::check(action, item))?;
            Ok(Value::List(items.into()))
        }
    }
}
