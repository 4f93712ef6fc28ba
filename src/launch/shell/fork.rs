//! Where something unknown decides what runs: both sides are followed and joined.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::holes::{Hole, Kind};
use super::machine::{Flow, Machine, Run};
use super::state::{Field, State, Value, Variable, Written};
use super::text::Text;
use crate::rules::value::Unknown;

impl Machine<'_> {
    /// Follows both sides of a decision that `hole` takes, and joins what they leave.
    pub(super) fn fork(
        &mut self,
        hole: Hole,
        yes: impl FnOnce(&mut Self) -> Run,
        no: impl FnOnce(&mut Self) -> Run,
    ) -> Run {
        self.step(2 * self.state.variables.len())?;
        let before = self.state.clone();
        let mark = self.commands.len();
        let here = self.here.clone();
        let first = yes(self);
        let first_state = std::mem::replace(&mut self.state, before);
        let mut first_commands = self.commands.split_off(mark);
        self.here.clone_from(&here);
        let second = if first == Err(Flow::Limit) { Ok(()) } else { no(self) };
        let mut second_commands = self.commands.split_off(mark);
        self.here = here;
        let same = first_commands.len() == second_commands.len()
            && first_commands.iter().zip(&second_commands).all(|(a, b)| a.argv == b.argv);
        if same {
            self.commands.append(&mut first_commands);
        } else {
            self.note(hole);
            let unknown = self.holes.get(hole);
            let shift = first_commands.len();
            for command in &mut second_commands {
                command.via = command.via.map(|via| if via >= mark { via + shift } else { via });
            }
            for mut command in first_commands.into_iter().chain(second_commands) {
                command.depends_on.get_or_insert_with(|| unknown.clone());
                self.commands.push(command);
            }
        }
        self.join(hole, (first, first_state), second)
    }

    /// Joins the state of one side with the current one of the other.
    fn join(&mut self, hole: Hole, (first, first_state): (Run, State), second: Run) -> Run {
        match (first, second) {
            (Err(Flow::Limit), _) | (_, Err(Flow::Limit)) => Err(Flow::Limit),
            (Ok(()), Ok(())) => {
                self.merge(first_state, hole);
                Ok(())
            }
            (Err(a), Err(b)) if a == b => {
                self.merge(first_state, hole);
                Err(a)
            }
            // A side that ends the script is a check that failed: the launch is what the other side does.
            (Err(Flow::Exit | Flow::Failed), other) => {
                self.note(hole);
                other
            }
            (other, Err(Flow::Exit | Flow::Failed)) => {
                self.note(hole);
                self.state = first_state;
                other
            }
            (Err(early), other) => {
                self.pending.push((early, first_state, hole));
                other
            }
            (Ok(()), Err(early)) => {
                let state = std::mem::replace(&mut self.state, first_state);
                self.pending.push((early, state, hole));
                Ok(())
            }
        }
    }

    /// Joins the states that left a function or loop early, from index `from` on, in the way `flow`.
    pub(super) fn settle(&mut self, from: usize, flow: Flow, result: Run) -> Run {
        let mut result = result;
        let mut at = from;
        while at < self.pending.len() {
            if self.pending[at].0 != flow {
                at += 1;
                continue;
            }
            let (_, state, hole) = self.pending.remove(at);
            match result {
                Ok(()) => self.merge(state, hole),
                Err(same) if same == flow => self.merge(state, hole),
                // The other way ended the script or went elsewhere: this one goes on.
                Err(Flow::Exit | Flow::Failed) => {
                    self.note(hole);
                    self.state = state;
                    result = Ok(());
                }
                Err(Flow::Limit) => {}
                Err(other) => {
                    let current = std::mem::replace(&mut self.state, state);
                    self.pending.push((other, current, hole));
                    result = Ok(());
                }
            }
        }
        result
    }

    /// The hole for a variable that has one value or another.
    fn decided(&mut self, hole: Hole, name: &str) -> Hole {
        let decider = self.holes.get(hole);
        // What was decided by something is told once, not at every join it passes.
        if decider.reason.starts_with("decides ") {
            return hole;
        }
        let reason = format!("decides what `{name}` is; {}", decider.reason);
        self.holes.add(Unknown { name: decider.name.clone(), reason, places: decider.places.clone() }, Kind::Other)
    }

    /// Makes the current state one that stands for it and for another.
    fn merge(&mut self, other: State, hole: Hole) {
        let mut names: Vec<String> = other.variables.keys().cloned().collect();
        names.extend(self.state.variables.keys().filter(|name| !other.variables.contains_key(*name)).cloned());
        names.sort();
        for name in names {
            let (a, b) = (self.state.variables.get(&name), other.variables.get(&name));
            match (a, b) {
                (Some(a), Some(b)) if Rc::ptr_eq(a, b) || a == b => continue,
                _ => {}
            }
            let (a, b) = (a.cloned(), b.cloned());
            let decided = self.decided(hole, &format!("${name}"));
            let merged = self.merge_variable(a.as_deref(), b.as_deref(), decided);
            self.state.variables.insert(name, Rc::new(merged));
        }
        if self.state.status != other.status {
            self.state.status = Err(hole);
        }
        if self.state.pipeline != other.pipeline {
            self.state.pipeline = vec![self.state.status];
        }
        if self.state.directory != other.directory {
            let decided = self.decided(hole, "the working directory");
            self.state.directory = self.unknown_text(decided, None);
        }
        if *self.state.positional != *other.positional {
            let decided = self.decided(hole, "$@");
            let merged = self.merge_lists(&self.state.positional, &other.positional, decided);
            self.state.positional = Rc::new(merged);
        }
        if self.state.output != other.output {
            let decided = self.decided(hole, "an output");
            if let (Some(a), Some(b)) = (&self.state.output, &other.output) {
                self.state.output = Some(self.merge_texts(a, b, decided));
            }
        }
        if !Rc::ptr_eq(&self.state.functions, &other.functions) {
            let functions = Rc::make_mut(&mut self.state.functions);
            for (name, body) in other.functions.iter() {
                functions.entry(name.clone()).or_insert_with(|| body.clone());
            }
        }
        if !Rc::ptr_eq(&self.state.exported_functions, &other.exported_functions) {
            Rc::make_mut(&mut self.state.exported_functions).extend(other.exported_functions.iter().cloned());
        }
        if !Rc::ptr_eq(&self.state.files, &other.files) {
            let decided = self.decided(hole, "a file");
            let unknown = self.unknown_text(decided, None);
            let files = Rc::make_mut(&mut self.state.files);
            for (path, written) in other.files.iter() {
                match files.get(path) {
                    Some(same) if same == written => {}
                    Some(Written::File(_)) => {
                        files.insert(path.clone(), Written::File(unknown.clone()));
                    }
                    _ => {
                        files.entry(path.clone()).or_insert_with(|| written.clone());
                    }
                }
            }
        }
    }

    fn merge_variable(&self, a: Option<&Variable>, b: Option<&Variable>, hole: Hole) -> Variable {
        let empty = Variable::new(Value::Unset);
        let (a, b) = (a.unwrap_or(&empty), b.unwrap_or(&empty));
        let value = match (&a.value, &b.value) {
            (Value::Scalar(x), Value::Scalar(y)) if x == y => Value::Scalar(x.clone()),
            (Value::Scalar(x), Value::Scalar(y)) => Value::Scalar(self.merge_texts(x, y, hole)),
            (Value::Scalar(x), Value::Unset) | (Value::Unset, Value::Scalar(x)) => {
                Value::Scalar(self.merge_texts(x, &Text::default(), hole))
            }
            (Value::Unset, Value::Unset) => Value::Unset,
            (Value::Indexed(x), Value::Indexed(y)) => self.merge_arrays(x, y, hole),
            (Value::Indexed(x), Value::Unset) | (Value::Unset, Value::Indexed(x)) => {
                self.merge_arrays(x, &BTreeMap::new(), hole)
            }
            (Value::Associative(x), Value::Associative(y)) => {
                let mut items = x.clone();
                for (key, field) in y {
                    if !items.iter().any(|(known, _)| known == key) {
                        items.push((key.clone(), field.clone()));
                    }
                }
                for (key, field) in &mut items {
                    let (one, two) = (find(x, key), find(y, key));
                    if one != two {
                        *field = Field { text: self.unknown_text(hole, None), open: one.is_none() || two.is_none() };
                    }
                }
                Value::Associative(items)
            }
            _ => Value::Indexed(BTreeMap::from([(0, Field { text: self.unknown_text(hole, None), open: true })])),
        };
        Variable {
            value,
            exported: a.exported || b.exported,
            readonly: a.readonly && b.readonly,
            integer: a.integer && b.integer,
            case: a.case.filter(|_| a.case == b.case),
            reference: a.reference && b.reference,
            ours: a.ours || b.ours,
        }
    }

    fn merge_arrays(&self, a: &BTreeMap<i64, Field>, b: &BTreeMap<i64, Field>, hole: Hole) -> Value {
        let dense = |items: &BTreeMap<i64, Field>| items.keys().copied().eq(0..items.len() as i64);
        if dense(a) && dense(b) {
            let a: Vec<Field> = a.values().cloned().collect();
            let b: Vec<Field> = b.values().cloned().collect();
            return Value::Indexed((0i64..).zip(self.merge_lists(&a, &b, hole)).collect());
        }
        Value::Indexed(BTreeMap::from([(0, Field { text: self.unknown_text(hole, None), open: true })]))
    }

    /// Two lists as one: what they start and end with alike stays, the rest is unknown.
    fn merge_lists(&self, a: &[Field], b: &[Field], hole: Hole) -> Vec<Field> {
        if a.len() == b.len() && a.iter().zip(b).filter(|(x, y)| x != y).count() <= 4 {
            let one = |(x, y): (&Field, &Field)| {
                if x == y { x.clone() } else { Field { text: self.unknown_text(hole, None), open: x.open || y.open } }
            };
            return a.iter().zip(b).map(one).collect();
        }
        let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let most = a.len().min(b.len()) - start;
        let end = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(x, y)| x == y).count();
        let mut merged = a[..start].to_vec();
        merged.push(Field { text: self.unknown_text(hole, None), open: true });
        merged.extend_from_slice(&a[a.len() - end..]);
        merged
    }

    /// Two texts as one: the words they start with alike stay, the rest is unknown.
    fn merge_texts(&self, a: &Text, b: &Text, hole: Hole) -> Text {
        let (x, y) = (a.as_str(), b.as_str());
        let same = x.bytes().zip(y.bytes()).take_while(|(x, y)| x == y).count();
        let ends = |text: &str, at: usize| {
            text.is_char_boundary(at) && text[at..].chars().next().is_none_or(char::is_whitespace)
        };
        let start = (1..=same).rev().find(|at| ends(x, *at) && ends(y, *at)).unwrap_or(0);
        let mut merged = a.slice(0..start);
        if start > 0 {
            merged.push_str(" ");
        }
        merged.push(&self.unknown_text(hole, None));
        merged
    }
}

fn find<'a>(items: &'a [(String, Field)], key: &str) -> Option<&'a Field> {
    items.iter().find(|(known, _)| known == key).map(|(_, field)| field)
}
