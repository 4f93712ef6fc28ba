//! A pickle that can be written again: every value with the opcodes that make it, so that what is not changed comes out
//! as it went in. Names stay names here as well: nothing is imported or called.

mod read;
mod write;

use std::borrow::Cow;

pub use read::parse;
pub use write::WriteError;

use super::opcodes::long;

/// A value of a [`Graph`], by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref(u32);

/// How a value is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Make<'p> {
    /// By one opcode with its argument.
    Atom(Cow<'p, [u8]>),
    /// A tuple.
    Tuple(Vec<Ref>),
    /// A frozen set.
    FrozenSet(Vec<Ref>),
    /// By an opcode that takes these values from the stack.
    Apply {
        /// `REDUCE`, `NEWOBJ`, `NEWOBJ_EX`, `STACK_GLOBAL` or `BINPERSID`.
        opcode: u8,
        /// What it takes, the deepest first.
        parts: Vec<Ref>,
    },
    /// An empty list, dict or set, by its opcode.
    Empty(u8),
}

/// What is done to a value after it was made.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Elements are appended.
    Append(Vec<Ref>),
    /// Keys and values, in turn, are set.
    Items(Vec<Ref>),
    /// Elements are added to a set.
    Add(Vec<Ref>),
    /// The state is set.
    Build(Ref),
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub struct Value<'p> {
    /// How it is made.
    pub make: Make<'p>,
    /// What is done to it then, in order.
    pub changes: Vec<Change>,
}

/// A pickle as a graph of values.
#[derive(Debug)]
pub struct Graph<'p> {
    values: Vec<Value<'p>>,
    /// What Python would return.
    pub root: Ref,
    /// The protocol that it was written in.
    pub protocol: u8,
}

const REDUCE: u8 = b'R';
const NEWOBJ: u8 = 0x81;
const NEWOBJ_EX: u8 = 0x92;
const STACK_GLOBAL: u8 = 0x93;
const BINPERSID: u8 = b'Q';

impl<'p> Graph<'p> {
    /// The value of that number.
    pub fn value(&self, id: Ref) -> &Value<'p> {
        // Numbers are only made by `add`.
        &self.values[id.0 as usize]
    }

    /// The same, to change it.
    pub fn value_mut(&mut self, id: Ref) -> &mut Value<'p> {
        &mut self.values[id.0 as usize]
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text, if it is text.
    pub fn text(&self, id: Ref) -> Option<&str> {
        let bytes = self.atom(id)?;
        let text = match bytes.first()? {
            b'X' | b'T' => bytes.get(5..)?,
            0x8c | b'U' => bytes.get(2..)?,
            0x8d => bytes.get(9..)?,
            _ => return None,
        };
        std::str::from_utf8(text).ok()
    }

    /// The bytes, if it is bytes.
    pub fn bytes(&self, id: Ref) -> Option<&[u8]> {
        let bytes = self.atom(id)?;
        match bytes.first()? {
            b'C' => bytes.get(2..),
            b'B' => bytes.get(5..),
            0x8e | 0x96 => bytes.get(9..),
            _ => None,
        }
    }

    /// The whole number, if it is one of 64 bits.
    pub fn int(&self, id: Ref) -> Option<i64> {
        let bytes = self.atom(id)?;
        let (&opcode, rest) = bytes.split_first()?;
        match opcode {
            b'K' => rest.first().map(|&byte| byte.into()),
            b'M' => rest.try_into().ok().map(|bytes| u16::from_le_bytes(bytes).into()),
            b'J' => rest.try_into().ok().map(|bytes| i32::from_le_bytes(bytes).into()),
            0x8a => long(rest.get(1..)?).ok(),
            0x8b => long(rest.get(4..)?).ok(),
            _ => None,
        }
    }

    /// Whether it is `None`.
    pub fn is_none(&self, id: Ref) -> bool {
        self.atom(id) == Some(b"N")
    }

    /// Whether it is a boolean, and which.
    pub fn bool(&self, id: Ref) -> Option<bool> {
        match self.atom(id)? {
            [0x88] => Some(true),
            [0x89] => Some(false),
            _ => None,
        }
    }

    /// Module and name, if it is a global.
    pub fn global(&self, id: Ref) -> Option<(&str, &str)> {
        match &self.value(id).make {
            Make::Atom(bytes) if bytes.first() == Some(&b'c') => {
                let mut lines = std::str::from_utf8(&bytes[1..]).ok()?.split('\n');
                Some((lines.next()?, lines.next()?))
            }
            Make::Apply { opcode: STACK_GLOBAL, parts } => Some((self.text(parts[0])?, self.text(parts[1])?)),
            _ => None,
        }
    }

    /// The elements, if it is a tuple.
    pub fn tuple(&self, id: Ref) -> Option<&[Ref]> {
        match &self.value(id).make {
            Make::Tuple(elements) => Some(elements),
            Make::Atom(bytes) if **bytes == *b")" => Some(&[]),
            _ => None,
        }
    }

    /// What is called and with which arguments, if it is made by a call.
    pub fn call(&self, id: Ref) -> Option<(Ref, Ref)> {
        match &self.value(id).make {
            Make::Apply { opcode: REDUCE | NEWOBJ, parts } => Some((parts[0], parts[1])),
            _ => None,
        }
    }

    /// What stands for something outside of the pickle.
    pub fn persistent(&self, id: Ref) -> Option<Ref> {
        match &self.value(id).make {
            Make::Apply { opcode: BINPERSID, parts } => Some(parts[0]),
            _ => None,
        }
    }

    /// Keys and values of a dict, or of an object that is one, if it has any.
    pub fn items(&self, id: Ref) -> Option<Vec<(Ref, Ref)>> {
        let value = self.value(id);
        let is_dict = matches!(value.make, Make::Empty(b'}'));
        let mut items = Vec::new();
        for change in &value.changes {
            match change {
                Change::Items(flat) => items.extend(flat.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
                Change::Build(_) if !is_dict => {}
                _ => return None,
            }
        }
        let is_object = self.call(id).is_some() && value.changes.iter().any(|c| matches!(c, Change::Items(_)));
        (is_dict || is_object).then_some(items)
    }

    /// Puts other items in the place of a dict's own; what else is done to it stays.
    pub fn set_items(&mut self, id: Ref, items: &[(Ref, Ref)]) {
        let changes = &mut self.value_mut(id).changes;
        changes.retain(|change| !matches!(change, Change::Items(_)));
        changes.insert(0, Change::Items(items.iter().flat_map(|(key, value)| [*key, *value]).collect()));
    }

    /// The state of an object, if it was set once.
    pub fn state(&self, id: Ref) -> Option<Ref> {
        let mut states = self.value(id).changes.iter().filter_map(|change| match change {
            Change::Build(state) => Some(*state),
            _ => None,
        });
        states.next().filter(|_| states.next().is_none())
    }

    /// Adds a value; `None` when there are too many.
    fn add_value(&mut self, value: Value<'p>) -> Option<Ref> {
        let id = u32::try_from(self.values.len()).ok()?;
        self.values.push(value);
        Some(Ref(id))
    }

    /// Adds a value that is made like this. A graph holds fewer values than its pickle has bytes, and a changed one a
    /// few more for each entry, so numbers do not run out.
    pub fn add(&mut self, make: Make<'p>) -> Ref {
        self.add_value(Value { make, changes: Vec::new() }).unwrap_or(self.root)
    }

    /// Adds a text.
    pub fn add_text(&mut self, text: &str) -> Ref {
        let mut bytes = vec![b'X'];
        bytes.extend(u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
        bytes.extend(text.as_bytes());
        self.add(Make::Atom(bytes.into()))
    }

    /// Adds a whole number.
    pub fn add_int(&mut self, number: u64) -> Ref {
        let bytes = match (u8::try_from(number), u16::try_from(number), i32::try_from(number)) {
            (Ok(number), ..) => vec![b'K', number],
            (_, Ok(number), _) => [&b"M"[..], &number.to_le_bytes()].concat(),
            (.., Ok(number)) => [&b"J"[..], &number.to_le_bytes()].concat(),
            // Nine bytes: the sign has one of its own.
            _ => [&[0x8a, 9][..], &number.to_le_bytes(), &[0]].concat(),
        };
        self.add(Make::Atom(bytes.into()))
    }

    /// Adds `None`, or a boolean.
    pub fn add_constant(&mut self, constant: Option<bool>) -> Ref {
        let opcode: &'static [u8] = match constant {
            None => b"N",
            Some(true) => &[0x88],
            Some(false) => &[0x89],
        };
        self.add(Make::Atom(opcode.into()))
    }

    /// Adds a name that Python imports.
    pub fn add_global(&mut self, module: &str, name: &str) -> Ref {
        self.add(Make::Atom(format!("c{module}\n{name}\n").into_bytes().into()))
    }

    /// Adds a tuple.
    pub fn add_tuple(&mut self, elements: Vec<Ref>) -> Ref {
        self.add(Make::Tuple(elements))
    }

    /// Adds a call.
    pub fn add_call(&mut self, class: Ref, args: Ref) -> Ref {
        self.add(Make::Apply { opcode: REDUCE, parts: vec![class, args] })
    }

    /// Adds something that stands for a thing outside.
    pub fn add_persistent(&mut self, id: Ref) -> Ref {
        self.add(Make::Apply { opcode: BINPERSID, parts: vec![id] })
    }

    fn atom(&self, id: Ref) -> Option<&[u8]> {
        match &self.value(id).make {
            Make::Atom(bytes) => Some(bytes),
            _ => None,
        }
    }
}
