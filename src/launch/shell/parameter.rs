//! `${V}` and everything that can stand in its braces.

use std::rc::Rc;

use super::ast::{Index, Name, Operation, Parameter, Unit, Word};
use super::expand::{Between, Part};
use super::holes::Hole;
use super::machine::{Flow, Machine, Run};
use super::state::Field;
use super::text::Text;
use super::variables::Scalar;
use crate::text::Span;

/// What an operation makes of a text.
type Change<M> = Box<dyn Fn(&mut M, Text) -> Run<Text>>;

/// What a parameter stands for.
enum Got {
    /// One text, or nothing.
    One(Scalar),
    /// Several words; the flag says that `*` joins them.
    Many(Vec<Field>, bool),
}

impl Machine<'_> {
    /// The parts that a parameter expansion becomes.
    pub fn parameter(
        &mut self,
        parameter: &Parameter,
        unit: &Rc<Unit>,
        quoted: bool,
        split_literals: bool,
    ) -> Run<Vec<Part>> {
        let span = unit.span(parameter.at);
        if let Operation::Names = parameter.operation {
            return Ok(self.names_with_prefix(parameter, quoted, span));
        }
        if let Operation::Keys = parameter.operation {
            let keys = self.keys(&parameter.name, span.as_ref());
            return Ok(self.as_parts(Got::Many(keys, matches!(parameter.index, Index::Joined)), quoted, span));
        }
        let got = if parameter.indirect {
            self.indirect(parameter, span.as_ref())?
        } else {
            self.get(&parameter.name, &parameter.index, span.as_ref())?
        };
        match &parameter.operation {
            Operation::Default(kind, colon, word) => {
                return self.default(parameter, got, (*kind, *colon, word), quoted, split_literals, span);
            }
            Operation::Length => {
                let text = self.length(got, span.clone());
                return Ok(vec![Part::Text { text, quoted, split: !quoted, open: false }]);
            }
            _ => {}
        }
        let got = match &parameter.operation {
            Operation::Slice(offset, length) => self.slice(parameter, got, offset, length.as_ref(), span.as_ref())?,
            operation => self.operate(operation, got)?,
        };
        if let (Got::One(Err(hole)), true) = (&got, self.state.flags.nounset)
            && !matches!(parameter.name, Name::Special('@' | '*'))
        {
            self.unbound(unit.str(parameter.at), *hole, span.clone())?;
        }
        Ok(self.as_parts(got, quoted, span))
    }

    /// `set -u`: an unset variable ends the script; one that may still be given does not.
    fn unbound(&mut self, shown: &str, hole: Option<Hole>, span: Option<Span>) -> Run {
        if hole.is_some() {
            return Ok(());
        }
        self.remark(format!("`{shown}` is not set, and `set -u` ends the script here"), span);
        self.state.status = Ok(1);
        Err(Flow::Exit)
    }

    fn as_parts(&mut self, got: Got, quoted: bool, span: Option<Span>) -> Vec<Part> {
        match got {
            Got::One(found) => {
                let text = match found {
                    Ok(text) => text.used(span),
                    Err(Some(hole)) => self.unknown_text(hole, span),
                    Err(None) => Text::default(),
                };
                if text.is_empty() && !quoted {
                    return Vec::new();
                }
                let open = !quoted && Hole::in_text(text.as_str()).is_some();
                vec![Part::Text { text, quoted, split: !quoted, open }]
            }
            Got::Many(fields, true) if quoted => {
                let separator = match self.in_document {
                    true => " ".to_owned(),
                    false => self.separators().chars().next().map_or(String::new(), String::from),
                };
                let mut all = Text::default();
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        all.push_str(&separator);
                    }
                    all.push(&field.text);
                }
                // A joined list is one word, whatever it holds.
                vec![Part::Text { text: all.used(span), quoted: true, split: false, open: false }]
            }
            Got::Many(fields, star) => {
                let mut parts = Vec::new();
                for (i, field) in fields.into_iter().enumerate() {
                    if i > 0 {
                        parts.push(Part::Break(match (quoted, star) {
                            (true, _) => Between::Quoted,
                            (false, true) => Between::Star,
                            (false, false) => Between::At,
                        }));
                    }
                    let hole = Hole::in_text(field.text.as_str()).is_some();
                    let open = hole && (field.open || !quoted);
                    parts.push(Part::Text { text: field.text.used(span.clone()), quoted, split: !quoted, open });
                }
                parts
            }
        }
    }

    fn get(&mut self, name: &Name, index: &Index, span: Option<&Span>) -> Run<Got> {
        Ok(match name {
            Name::Variable(name) => match index {
                Index::None => Got::One(self.scalar(name, span)),
                Index::One(word) => Got::One(self.element(name, word, span)?),
                Index::All | Index::Joined => {
                    let joined = matches!(index, Index::Joined);
                    match self.elements(name, span) {
                        Ok(elements) => Got::Many(elements.into_iter().map(|(_, field)| field).collect(), joined),
                        Err(Some(hole)) => {
                            let text = self.unknown_text(hole, span.cloned());
                            Got::Many(vec![Field { text, open: true }], joined)
                        }
                        Err(None) => Got::Many(Vec::new(), joined),
                    }
                }
            },
            Name::Positional(number) => Got::One(self.positional(*number, span)),
            Name::Special(c @ ('@' | '*')) => Got::Many(self.state.positional.to_vec(), *c == '*'),
            Name::Special(c) => Got::One(self.special(*c, span)),
        })
    }

    /// `$1` and on.
    fn positional(&mut self, number: usize, span: Option<&Span>) -> Scalar {
        let before = self.state.positional.iter().take(number).find(|field| field.open);
        if let Some(hole) = before.and_then(|field| Hole::in_text(field.text.as_str())) {
            return Ok(self.unknown_text(hole, span.cloned()));
        }
        if let Some(field) = number.checked_sub(1).and_then(|i| self.state.positional.get(i)) {
            return Ok(field.text.clone());
        }
        let in_script = self.state.frames.is_empty() && self.running.len() <= 1;
        if self.complete || self.has_arguments || !in_script {
            return Err(None);
        }
        Err(Some(self.unset_hole(&number.to_string(), span.cloned())))
    }

    fn special(&mut self, c: char, span: Option<&Span>) -> Scalar {
        Ok(match c {
            '#' => {
                let open = self.state.positional.iter().find(|field| field.open);
                match open.and_then(|field| Hole::in_text(field.text.as_str())) {
                    Some(hole) => self.unknown_text(hole, span.cloned()),
                    None => Text::made(self.state.positional.len().to_string()),
                }
            }
            '?' => self.status_text(self.state.status),
            '0' => self.state.name.clone(),
            '-' => {
                let flags = self.state.flags;
                let letters =
                    [(flags.errexit, 'e'), (flags.noglob, 'f'), (true, 'h'), (flags.nounset, 'u'), (true, 'B')];
                Text::made(letters.iter().filter(|(on, _)| *on).map(|(_, c)| *c).collect::<String>())
            }
            _ => {
                let hole = self.hole(
                    format!("${c}"),
                    format!("`${c}` is a process number, known only in the run"),
                    span.cloned(),
                );
                self.unknown_text(hole, span.cloned())
            }
        })
    }

    fn indirect(&mut self, parameter: &Parameter, span: Option<&Span>) -> Run<Got> {
        let named = match self.get(&parameter.name, &parameter.index, span)? {
            Got::One(Ok(text)) => text,
            other => return Ok(other),
        };
        if let Some(hole) = Hole::in_text(named.as_str()) {
            return Ok(Got::One(Ok(self.unknown_text(hole, span.cloned()))));
        }
        let named = named.as_str();
        if let Some((name, index)) = named.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
            if matches!(index, "@" | "*") {
                let fields = self.elements(name, span).unwrap_or_default();
                return Ok(Got::Many(fields.into_iter().map(|(_, field)| field).collect(), index == "*"));
            }
            let number = match self.evaluate(index)? {
                Ok(number) => number.to_string(),
                Err(hole) => return Ok(Got::One(Ok(self.unknown_text(hole, span.cloned())))),
            };
            let fields = self.elements(name, span).unwrap_or_default();
            let found = fields.into_iter().find(|(key, _)| *key == number || key == index);
            return Ok(Got::One(found.map(|(_, field)| field.text).ok_or(None)));
        }
        if let Ok(number) = named.parse::<usize>() {
            return Ok(Got::One(self.positional(number, span)));
        }
        match named {
            "@" | "*" => Ok(Got::Many(self.state.positional.to_vec(), named == "*")),
            _ => Ok(Got::One(self.scalar(named, span))),
        }
    }

    fn keys(&mut self, name: &Name, span: Option<&Span>) -> Vec<Field> {
        let Name::Variable(name) = name else { return Vec::new() };
        match self.elements(name, span) {
            Ok(elements) => elements
                .into_iter()
                .map(|(key, field)| match Hole::in_text(field.text.as_str()).filter(|_| field.open) {
                    Some(hole) => Field { text: self.unknown_text(hole, span.cloned()), open: true },
                    None => Field::one(Text::made(key)),
                })
                .collect(),
            Err(Some(hole)) => vec![Field { text: self.unknown_text(hole, span.cloned()), open: true }],
            Err(None) => Vec::new(),
        }
    }

    fn names_with_prefix(&mut self, parameter: &Parameter, quoted: bool, span: Option<Span>) -> Vec<Part> {
        let Name::Variable(prefix) = &parameter.name else { return Vec::new() };
        let mut names: Vec<String> =
            self.state.variables.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        names.sort();
        let fields = names.into_iter().map(|name| Field::one(Text::made(name))).collect();
        self.as_parts(Got::Many(fields, false), quoted, span)
    }

    /// `:-`, `:=`, `:+`, `:?` and their forms without a colon.
    fn default(
        &mut self,
        parameter: &Parameter,
        got: Got,
        (kind, colon, word): (char, bool, &Word),
        quoted: bool,
        split_literals: bool,
        span: Option<Span>,
    ) -> Run<Vec<Part>> {
        let set = match &got {
            Got::One(Ok(text)) => !(colon && (text.is_empty() || self.holes.is_unset(text.as_str()))),
            Got::One(Err(_)) => false,
            Got::Many(fields, _) => {
                let all_empty = fields.len() == 1 && fields[0].text.is_empty();
                let unset = fields.len() == 1 && self.holes.is_unset(fields[0].text.as_str());
                let nothing = fields.is_empty() || (colon && all_empty);
                !nothing && !unset
            }
        };
        let operand = |machine: &mut Self| machine.parts(&word.pieces, &word.unit, quoted, split_literals || !quoted);
        match (kind, set) {
            ('+', true) => {
                let value = if let Got::One(Ok(text)) = &got { Some(text) } else { None };
                let only_hole = value.filter(|text| colon && text.as_str().chars().all(|c| Hole::of(c).is_some()));
                if let Some(hole) = only_hole.and_then(|text| Hole::in_text(text.as_str())) {
                    let text = self.unknown_text(hole, span);
                    return Ok(vec![Part::Text { text, quoted, split: !quoted, open: !quoted }]);
                }
                operand(self)
            }
            ('+', false) => Ok(if quoted { vec![Part::quoted(Text::default())] } else { Vec::new() }),
            (_, true) => Ok(self.as_parts(got, quoted, span)),
            ('-', false) => operand(self),
            ('=', false) => {
                let text = self.one_text(word)?;
                if let Name::Variable(name) = &parameter.name {
                    match &parameter.index {
                        Index::One(index) => {
                            let index = self.one_text(index)?.as_str().to_owned();
                            self.set_key(name, &index, text.clone(), false)?;
                        }
                        _ => self.set(name, text.clone(), false)?,
                    }
                }
                Ok(self.as_parts(Got::One(Ok(text)), quoted, span))
            }
            _ => {
                let message = self.one_text(word)?;
                let message = self.shown(message.as_str());
                let name = match &parameter.name {
                    Name::Variable(name) => name.clone(),
                    Name::Positional(number) => number.to_string(),
                    Name::Special(c) => c.to_string(),
                };
                if let Got::One(Err(Some(hole))) = got {
                    // The user has to give it: with it, the script goes on.
                    return Ok(self.as_parts(Got::One(Err(Some(hole))), quoted, span));
                }
                self.remark(format!("`${name}` is not set, and the script ends here: {message}"), span);
                self.state.status = Ok(127);
                Err(Flow::Exit)
            }
        }
    }

    fn length(&mut self, got: Got, span: Option<Span>) -> Text {
        let count = match got {
            Got::One(Ok(text)) => match Hole::in_text(text.as_str()) {
                Some(hole) => Err(hole),
                None => Ok(text.as_str().chars().count()),
            },
            Got::One(Err(Some(hole))) => Err(hole),
            Got::One(Err(None)) => Ok(0),
            Got::Many(fields, _) => {
                let open = fields.iter().find(|field| field.open).and_then(|f| Hole::in_text(f.text.as_str()));
                open.map_or(Ok(fields.len()), Err)
            }
        };
        match count {
            Ok(count) => Text::at(count.to_string(), span),
            Err(hole) => self.unknown_text(hole, span),
        }
    }

    /// The operations that change each text.
    fn operate(&mut self, operation: &Operation, got: Got) -> Run<Got> {
        let change: Change<Self> = match operation {
            Operation::Trim { suffix, longest, pattern } => {
                let pattern = self.pattern_text(pattern)?;
                let (suffix, longest) = (*suffix, *longest);
                Box::new(move |machine, text| machine.trim(text, &pattern, suffix, longest))
            }
            Operation::Replace(kind, pattern, with) => {
                let pattern = self.pattern_text(pattern)?;
                let with = self.one_text(with)?;
                let kind = *kind;
                Box::new(move |machine, text| machine.replace(text, &pattern, &with, kind))
            }
            Operation::Case(kind, all, pattern) => {
                let pattern = self.pattern_text(pattern)?;
                let (kind, all) = (*kind, *all);
                Box::new(move |machine, text| machine.change_case(text, kind, all, &pattern))
            }
            Operation::Transform(letter) => {
                let letter = *letter;
                Box::new(move |machine, text| Ok(machine.transform(text, letter)))
            }
            _ => return Ok(got),
        };
        Ok(match got {
            Got::One(Ok(text)) => Got::One(Ok(change(self, text)?)),
            Got::Many(fields, joined) => {
                let mut changed = Vec::with_capacity(fields.len());
                for field in fields {
                    changed.push(Field { text: change(self, field.text)?, open: field.open });
                }
                Got::Many(changed, joined)
            }
            Got::One(Err(hole)) => Got::One(Err(hole)),
        })
    }

    fn slice(
        &mut self,
        parameter: &Parameter,
        got: Got,
        offset: &Word,
        length: Option<&Word>,
        span: Option<&Span>,
    ) -> Run<Got> {
        let offset = self.arithmetic(offset)?;
        let length = length.map(|length| self.arithmetic(length)).transpose()?;
        let (offset, length) = match (offset, length.transpose()) {
            (Ok(offset), Ok(length)) => (offset, length),
            (Err(hole), _) | (_, Err(hole)) => return Ok(Got::One(Ok(self.unknown_text(hole, span.cloned())))),
        };
        match got {
            Got::One(Ok(text)) => {
                if let Some(hole) = Hole::in_text(text.as_str()) {
                    return Ok(Got::One(Ok(self.unknown_text(hole, span.cloned()))));
                }
                let starts: Vec<usize> = text.as_str().char_indices().map(|(i, _)| i).chain([text.len()]).collect();
                let count = starts.len() as i64 - 1;
                let Some((from, to)) = bounds(count, offset, length) else { return Ok(Got::One(Ok(Text::default()))) };
                Ok(Got::One(Ok(text.slice(starts[from]..starts[to]))))
            }
            Got::Many(fields, joined) => {
                if let Some(hole) = fields.iter().find(|f| f.open).and_then(|field| Hole::in_text(field.text.as_str()))
                {
                    let text = self.unknown_text(hole, span.cloned());
                    return Ok(Got::Many(vec![Field { text, open: true }], joined));
                }
                let mut fields = fields;
                let mut offset = offset;
                match &parameter.name {
                    // `${@:0}` counts from `$0`.
                    Name::Special(_) => fields.insert(0, Field::one(self.state.name.clone())),
                    // An array's offset is an index, not a count.
                    Name::Variable(name) if !self.is_associative(&self.state.resolve(name)) => {
                        let keys = self.elements(name, span).unwrap_or_default();
                        let keys: Vec<i64> = keys.iter().filter_map(|(key, _)| key.parse().ok()).collect();
                        let end = keys.last().map_or(0, |last| last + 1);
                        let from = if offset < 0 { end + offset } else { offset };
                        if from < 0 {
                            return Ok(Got::Many(Vec::new(), joined));
                        }
                        offset = keys.iter().filter(|key| **key < from).count() as i64;
                    }
                    _ => {}
                }
                let Some((from, to)) = bounds(fields.len() as i64, offset, length) else {
                    return Ok(Got::Many(Vec::new(), joined));
                };
                Ok(Got::Many(fields[from..to].to_vec(), joined))
            }
            other => Ok(other),
        }
    }
}

/// The range that an offset and a length select of so many things.
fn bounds(count: i64, offset: i64, length: Option<i64>) -> Option<(usize, usize)> {
    let from = if offset < 0 { count + offset } else { offset };
    if from < 0 || from > count {
        return None;
    }
    let to = match length {
        None => count,
        Some(length) if length < 0 => count + length,
        Some(length) => count.min(from.saturating_add(length)),
    };
    if to < from {
        return None;
    }
    Some((usize::try_from(from).ok()?, usize::try_from(to).ok()?))
}
