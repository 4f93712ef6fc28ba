//! The stack machine. Every opcode costs a bounded amount of memory, so a pickle costs no more than its length allows.

use std::collections::HashMap;

use super::data::{Data, Id, Node, Run};
use super::opcodes::{Reader, unescape, unquote};
use crate::checkpoint::error::{Problem, malformed};

/// Why a pickle cannot be read, and at which of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The byte of the opcode, or of its argument.
    pub at: usize,
    /// What is wrong.
    pub problem: Problem,
}

impl Failure {
    pub(super) fn malformed(at: usize, expected: &str, found: &str) -> Box<Self> {
        Box::new(Self { at, problem: malformed(expected, found) })
    }

    pub(super) fn truncated(at: usize, expected: String) -> Box<Self> {
        Box::new(Self { at, problem: Problem::Truncated(expected) })
    }
}

/// What a pickle holds.
#[derive(Debug)]
pub struct Loaded<'p> {
    /// All its values.
    pub data: Data<'p>,
    /// The one that Python would return.
    pub root: Id,
    /// How many bytes it takes; more may follow.
    pub length: usize,
    /// Every name that Python would import.
    pub globals: Vec<Id>,
}

impl Loaded<'_> {
    /// Every name that Python would import, as `module.name`, sorted, once each.
    pub fn global_names(&self) -> Vec<String> {
        let named = self.globals.iter().filter_map(|&id| self.data.global(id));
        let mut names: Vec<String> = named.map(|(module, name)| format!("{module}.{name}")).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Reads the pickle at the start of `bytes`.
pub fn load(bytes: &[u8]) -> Result<Loaded<'_>, Failure> {
    let mut machine = Machine {
        reader: Reader { bytes, at: 0 },
        data: Data::new(bytes.len()),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: Vec::new(),
        far_memo: HashMap::new(),
        globals: Vec::new(),
        at: 0,
    };
    let root = machine.run().map_err(|failure| *failure)?;
    Ok(Loaded { root, length: machine.reader.at, data: machine.data, globals: machine.globals })
}

pub(super) struct Machine<'p> {
    pub(super) reader: Reader<'p>,
    pub(super) data: Data<'p>,
    pub(super) stack: Vec<Id>,
    pub(super) marks: Vec<usize>,
    /// The memo: its numbers are consecutive in every pickle that a pickler wrote.
    memo: Vec<Id>,
    /// Numbers that are not, so that one of them cannot ask for gigabytes.
    far_memo: HashMap<usize, Id>,
    pub(super) globals: Vec<Id>,
    /// The opcode that is being run.
    pub(super) at: usize,
}

/// Boxed, so that the usual case, no failure, is a machine word.
pub(super) type Step<T = ()> = Result<T, Box<Failure>>;

impl<'p> Machine<'p> {
    fn run(&mut self) -> Step<Id> {
        loop {
            self.at = self.reader.at;
            let opcode = self.reader.byte()?;
            if opcode == b'.' {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    fn step(&mut self, opcode: u8) -> Step {
        match opcode {
            0x80 => self.protocol(),
            0x95 => self.frame(),
            b'N' => self.push(Id::NONE),
            0x88 => self.push(Id::TRUE),
            0x89 => self.push(Id::FALSE),
            b'K' => self.small_int(1),
            b'M' => self.small_int(2),
            b'J' => {
                let number = self.reader.unsigned(4)? as u32;
                self.push_int(i64::from(number.cast_signed()))
            }
            b'I' | b'L' => self.text_int(),
            0x8a => self.long(1),
            0x8b => self.long(4),
            b'F' => self.text_float(),
            b'G' => {
                let bits = self.reader.unsigned(8)?.swap_bytes();
                self.push_node(Node::Float(f64::from_bits(bits)))
            }
            0x8c => self.text(1),
            b'X' => self.text(4),
            0x8d => self.text(8),
            b'V' => {
                let line = self.reader.line()?;
                let text = unescape(line).ok_or_else(|| self.bad("escaped text", "a broken escape"))?;
                self.push_node(Node::Text(text.into()))
            }
            b'S' => {
                let line = self.reader.line()?;
                let bytes = unquote(line).ok_or_else(|| self.bad("a quoted string", "other text"))?;
                self.push_node(Node::Text(String::from_utf8_lossy(&bytes).into()))
            }
            b'U' => self.old_string(1),
            b'T' => self.old_string(4),
            b'C' => self.byte_string(1),
            b'B' => self.byte_string(4),
            0x8e | 0x96 => self.byte_string(8),
            b')' => self.push(Id::EMPTY_TUPLE),
            0x85 => self.tuple(1),
            0x86 => self.tuple(2),
            0x87 => self.tuple(3),
            b't' => {
                let from = self.mark()?;
                self.tuple(self.stack.len() - from)
            }
            b']' => self.push_node(Node::List(Run::default())),
            b'}' => self.push_node(Node::Dict(Run::default())),
            0x8f => self.push_node(Node::Set(Run::default())),
            b'l' => self.gather(Node::List),
            b'd' => self.gather(Node::Dict),
            0x91 => self.gather(Node::Set),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'a' => {
                let from = self.stack.len().saturating_sub(1);
                self.append(from)
            }
            b'e' | 0x90 => {
                let from = self.mark()?;
                self.append(from)
            }
            b's' => {
                let from = self.stack.len().saturating_sub(2);
                self.set_items(from)
            }
            b'u' => {
                let from = self.mark()?;
                self.set_items(from)
            }
            b'0' => self.discard(),
            b'1' => {
                let from = self.mark()?;
                self.stack.truncate(from);
                Ok(())
            }
            b'2' => {
                let top = self.pop()?;
                self.push(top)?;
                self.push(top)
            }
            b'h' => self.recall(1),
            b'j' => self.recall(4),
            b'g' => {
                let number = self.memo_word()?;
                self.recall_number(number)
            }
            b'q' => self.remember(1),
            b'r' => self.remember(4),
            b'p' => {
                let number = self.memo_word()?;
                self.remember_as(number)
            }
            0x94 => self.remember_as(self.memo.len()),
            b'c' => {
                let (module, name) = (self.reader.word()?, self.reader.word()?);
                let (module, name) = (self.add(Node::Str(module))?, self.add(Node::Str(name))?);
                self.global(module, name)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                if self.data.str(module).is_none() || self.data.str(name).is_none() {
                    return Err(self.bad("two texts that name a global", "other values"));
                }
                self.global(module, name)
            }
            b'R' | 0x81 => {
                let (args, class) = (self.pop()?, self.pop()?);
                self.object(class, args)
            }
            0x92 => {
                let (_keywords, args, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.object(class, args)
            }
            b'b' => self.build(),
            b'i' => self.instance(),
            b'o' => self.old_object(),
            b'P' => {
                let word = self.reader.word()?;
                let id = self.add(Node::Str(word))?;
                self.push_node(Node::Persistent(id))
            }
            b'Q' => {
                let id = self.pop()?;
                self.push_node(Node::Persistent(id))
            }
            0x82..=0x84 => Err(self.bad("no use of the extension registry", "an EXT opcode")),
            0x97 | 0x98 => Err(self.bad("all data in the pickle", "an out-of-band buffer")),
            other => Err(self.bad("a pickle opcode", &format!("the byte {other:#04x}"))),
        }
    }

    #[cold]
    pub(super) fn bad(&self, expected: &str, found: &str) -> Box<Failure> {
        Failure::malformed(self.at, expected, found)
    }

    pub(super) fn add(&mut self, node: Node<'p>) -> Step<Id> {
        self.data.add(node).ok_or_else(|| self.too_many())
    }

    #[cold]
    pub(super) fn too_many(&self) -> Box<Failure> {
        let claimed = self.data.len() as u64;
        Box::new(Failure {
            at: self.at,
            problem: Problem::TooLarge { what: "a number of values".to_owned(), claimed, limit: claimed },
        })
    }

    pub(super) fn push(&mut self, id: Id) -> Step {
        self.stack.push(id);
        Ok(())
    }

    pub(super) fn push_node(&mut self, node: Node<'p>) -> Step {
        let id = self.add(node)?;
        self.push(id)
    }

    pub(super) fn push_int(&mut self, number: i64) -> Step {
        let id = self.data.add_int(number).ok_or_else(|| self.too_many())?;
        self.push(id)
    }

    pub(super) fn pop(&mut self) -> Step<Id> {
        // A value below the mark is out of reach, as in Python.
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(self.bad("a value on the stack", "an empty stack"));
        }
        self.stack.pop().ok_or_else(|| self.bad("a value on the stack", "an empty stack"))
    }

    pub(super) fn top(&self) -> Step<Id> {
        self.stack.last().copied().ok_or_else(|| self.bad("a value on the stack", "an empty stack"))
    }

    pub(super) fn mark(&mut self) -> Step<usize> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        mark.ok_or_else(|| self.bad("a mark on the stack", "none"))
    }

    fn discard(&mut self) -> Step {
        // Python's POP takes a mark when nothing stands above it.
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(|_| ())
    }

    fn memo_word(&mut self) -> Step<usize> {
        let word = self.reader.word()?;
        word.parse().map_err(|_| self.bad("a number of the memo", "other text"))
    }

    fn recall(&mut self, width: usize) -> Step {
        let number = self.reader.unsigned(width)?;
        self.recall_number(usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn recall_number(&mut self, number: usize) -> Step {
        let id = self.memo.get(number).or_else(|| self.far_memo.get(&number)).copied();
        let id =
            id.ok_or_else(|| self.bad("something remembered under this number", &format!("nothing under {number}")))?;
        self.push(id)
    }

    fn remember(&mut self, width: usize) -> Step {
        let number = self.reader.unsigned(width)?;
        self.remember_as(usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn remember_as(&mut self, number: usize) -> Step {
        let top = self.top()?;
        // Python 2 counted from 1.
        if number == 1 && self.memo.is_empty() {
            self.memo.push(Id::NONE);
        }
        if number == self.memo.len() {
            self.memo.push(top);
        } else if let Some(slot) = self.memo.get_mut(number) {
            *slot = top;
        } else {
            self.far_memo.insert(number, top);
        }
        Ok(())
    }
}
