//! `declare`, `local`, `export`, `readonly`.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::{Argument, Assigned};
use super::machine::{Machine, Run};
use super::state::{Field, Value, Variable};
use super::text::Text;

/// The attributes that the options ask for.
#[derive(Debug, Clone, Copy, Default)]
struct Attributes {
    export: Option<bool>,
    readonly: bool,
    integer: Option<bool>,
    case: Option<Option<bool>>,
    reference: bool,
    indexed: bool,
    associative: bool,
    global: bool,
    functions: bool,
    prints: bool,
}

impl Attributes {
    fn of(command: &str) -> Self {
        Self { export: (command == "export").then_some(true), readonly: command == "readonly", ..Self::default() }
    }

    /// Reads an option word; `false` where it is none.
    fn option(&mut self, word: &str, command: &str) -> bool {
        let Some(letters) = word.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty()) else { return false };
        let on = word.starts_with('-');
        for letter in letters.chars() {
            match letter {
                'x' => self.export = Some(on),
                'n' if command == "export" => self.export = Some(false),
                'n' => self.reference = on,
                'r' => self.readonly |= on,
                'i' => self.integer = Some(on),
                'u' => self.case = Some(on.then_some(true)),
                'l' => self.case = Some(on.then_some(false)),
                'a' => self.indexed = on,
                'A' => self.associative = on,
                'g' => self.global = on,
                'f' | 'F' => self.functions = true,
                'p' => self.prints = true,
                _ => {}
            }
        }
        true
    }
}

impl Machine<'_> {
    /// A declaration with assignments among its words.
    pub(super) fn declare(&mut self, words: &[Argument]) -> Run {
        let Some((Argument::Word(first), rest)) = words.split_first() else { return Ok(()) };
        let command = self.one_text(first)?.as_str().to_owned();
        let mut attributes = Attributes::of(&command);
        self.substituted = None;
        self.succeed(true);
        if self.is_local_outside(&command) {
            // What its words run is run all the same.
            for argument in rest {
                match argument {
                    Argument::Word(word) => drop(self.fields(word)?),
                    Argument::Assignment(assignment) => {
                        if let Assigned::Scalar(word) = &assignment.value {
                            self.one_text(word)?;
                        }
                    }
                }
            }
            self.state.status = Ok(1);
            return Ok(());
        }
        for argument in rest {
            match argument {
                Argument::Word(word) => {
                    for field in self.fields(word)? {
                        self.declare_one(&command, &mut attributes, &field)?;
                    }
                }
                Argument::Assignment(assignment) => {
                    let array = matches!(assignment.value, Assigned::Array(_));
                    if array || attributes.readonly {
                        // The value is set before the variable becomes read-only, and seen before it is hidden.
                        let mut early = attributes;
                        early.readonly = false;
                        early.indexed |= array && !attributes.associative && !self.is_associative(&assignment.name);
                        if let (Assigned::Scalar(word), false) = (&assignment.value, array) {
                            let text = self.one_text(word)?;
                            self.prepare(&command, early, &assignment.name);
                            self.set_field(assignment.index.as_ref(), &assignment.name, text, assignment.append)?;
                        } else {
                            self.prepare(&command, early, &assignment.name);
                            self.assign(assignment)?;
                        }
                        self.prepare_again(attributes, &assignment.name);
                    } else if let Assigned::Scalar(word) = &assignment.value {
                        let text = self.one_text(word)?;
                        self.prepare(&command, attributes, &assignment.name);
                        self.set_field(assignment.index.as_ref(), &assignment.name, text, assignment.append)?;
                        // `export V=$V:/more`: what was not there before is exported now.
                        self.prepare_again(attributes, &assignment.name);
                    }
                }
            }
        }
        Ok(())
    }

    fn set_field(&mut self, index: Option<&super::ast::Word>, name: &str, text: Text, append: bool) -> Run {
        let reference = self.state.get(name).is_some_and(|variable| variable.reference);
        match index {
            Some(index) => {
                let index = self.one_text(index)?.as_str().to_owned();
                self.set_key(name, &index, text, append)
            }
            None if reference => {
                self.set_plain(name, text);
                Ok(())
            }
            None => self.set(name, text, append),
        }
    }

    /// A declaration of plain words.
    pub(super) fn declare_fields(&mut self, command: &str, fields: &[Field]) -> Run {
        let mut attributes = Attributes::of(command);
        self.succeed(true);
        if self.is_local_outside(command) {
            self.state.status = Ok(1);
            return Ok(());
        }
        for field in fields {
            self.declare_one(command, &mut attributes, field)?;
        }
        Ok(())
    }

    /// `local` outside of a function sets nothing.
    fn is_local_outside(&mut self, command: &str) -> bool {
        let outside = command == "local" && self.state.frames.is_empty();
        if outside {
            self.remark("`local` outside of a function: bash sets nothing", None);
        }
        outside
    }

    fn declare_one(&mut self, command: &str, attributes: &mut Attributes, field: &Field) -> Run {
        let text = field.text.as_str();
        if attributes.option(text, command) {
            return Ok(());
        }
        if attributes.functions || attributes.prints {
            return self.asked(*attributes, text);
        }
        let (name, value) = match text.find('=') {
            Some(at) => (&text[..at], Some(field.text.slice(at + 1..text.len()))),
            None => (text, None),
        };
        let (name, append) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Ok(());
        }
        let name = name.to_owned();
        let readonly = std::mem::take(&mut attributes.readonly);
        self.prepare(command, *attributes, &name);
        if let Some(value) = value {
            self.set_field(None, &name, value, append)?;
        }
        attributes.readonly = readonly;
        self.prepare_again(*attributes, &name);
        Ok(())
    }

    /// `declare -p V`, `declare -F f`: whether it is there. `export -f f`: new shells see it.
    fn asked(&mut self, attributes: Attributes, name: &str) -> Run {
        if let Some(on) = attributes.export.filter(|_| attributes.functions) {
            let exported = Rc::make_mut(&mut self.state.exported_functions);
            if on && self.state.functions.contains_key(name) {
                exported.insert(name.to_owned());
            } else {
                exported.remove(name);
            }
        }
        let there = if attributes.functions {
            self.state.functions.contains_key(name)
        } else {
            self.state.get(&self.state.resolve(name)).is_some()
        };
        self.state.status = Ok(i32::from(!there));
        if attributes.prints && there && self.state.output.is_some() {
            return self.unknown_output("declare -p");
        }
        Ok(())
    }

    /// Hides or makes the variable and gives it the attributes.
    fn prepare(&mut self, command: &str, attributes: Attributes, name: &str) {
        let local = matches!(command, "local" | "declare" | "typeset") && !attributes.global;
        if let (true, Some(frame)) = (local, self.state.frames.last_mut())
            && !frame.hidden.contains_key(name)
        {
            let old = self.state.variables.remove(name);
            let exported = old.as_ref().is_some_and(|variable| variable.exported);
            frame.hidden.insert(name.to_owned(), old);
            let mut variable = Variable::new(Value::Unset);
            variable.exported = exported;
            self.state.variables.insert(name.to_owned(), Rc::new(variable));
        }
        self.prepare_again(attributes, name);
    }

    fn prepare_again(&mut self, attributes: Attributes, name: &str) {
        let target = if attributes.reference { name.to_owned() } else { self.state.resolve(name) };
        let known = self.state.get(&target).cloned();
        let nothing = !attributes.indexed
            && !attributes.associative
            && !attributes.readonly
            && attributes.export.is_none()
            && attributes.integer.is_none()
            && attributes.case.is_none()
            && !attributes.reference;
        if nothing && known.is_some() {
            return;
        }
        let absent = known.is_none();
        let mut variable = known.map_or_else(|| Variable::new(Value::Unset), |v| (*v).clone());
        if absent && attributes.export == Some(true) && !self.complete && !self.assigned.contains(&target) {
            // `export V` alone passes on what the environment has.
            return;
        }
        variable.exported = attributes.export.unwrap_or(variable.exported);
        variable.readonly |= attributes.readonly;
        variable.integer = attributes.integer.unwrap_or(variable.integer);
        variable.case = attributes.case.unwrap_or(variable.case);
        variable.reference |= attributes.reference;
        if attributes.associative && !matches!(variable.value, Value::Associative(_)) {
            variable.value = Value::Associative(Vec::new());
        } else if attributes.indexed {
            variable.value = match variable.value {
                Value::Scalar(text) => Value::Indexed(BTreeMap::from([(0, Field::one(text))])),
                Value::Unset => Value::Indexed(BTreeMap::new()),
                other => other,
            };
        }
        self.state.variables.insert(target, Rc::new(variable));
    }
}
