//! Reading a pickle into a graph. The stack machine is CPython's; opcodes that no torch.save writes are refused.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::machine::{Failure, Step};
use super::super::opcodes::Reader;
use super::{BINPERSID, Change, Graph, Make, NEWOBJ, NEWOBJ_EX, REDUCE, Ref, STACK_GLOBAL, Value};
use crate::checkpoint::error::Problem;

/// Reads the pickle at the start of `bytes`.
pub fn parse(bytes: &[u8]) -> Result<Graph<'_>, Failure> {
    let graph = Graph { values: Vec::new(), root: Ref(0), protocol: 0 };
    let mut machine =
        Machine { reader: Reader { bytes, at: 0 }, graph, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    machine.run().map_err(|failure| *failure)?;
    Ok(machine.graph)
}

struct Machine<'p> {
    reader: Reader<'p>,
    graph: Graph<'p>,
    stack: Vec<Ref>,
    marks: Vec<usize>,
    memo: HashMap<usize, Ref>,
}

impl<'p> Machine<'p> {
    fn run(&mut self) -> Step {
        loop {
            let at = self.reader.at;
            let opcode = self.reader.byte()?;
            if opcode == b'.' {
                self.graph.root = self.pop(at)?;
                return Ok(());
            }
            self.step(opcode, at)?;
        }
    }

    fn step(&mut self, opcode: u8, at: usize) -> Step {
        match opcode {
            0x80 => {
                let protocol = self.reader.byte()?;
                if protocol > 5 {
                    return Err(Failure::malformed(at, "a pickle protocol up to 5", &protocol.to_string()));
                }
                self.graph.protocol = protocol;
                return Ok(());
            }
            0x95 => return self.reader.take(8).map(|_| ()),
            b'N' | 0x88 | 0x89 | b')' => {}
            b'K' => self.skip(1)?,
            b'M' => self.skip(2)?,
            b'J' => self.skip(4)?,
            b'G' => self.skip(8)?,
            b'I' | b'L' | b'F' | b'V' | b'S' => self.line()?,
            b'c' => {
                self.line()?;
                self.line()?;
            }
            0x8a | 0x8c | b'U' | b'C' => self.counted(1)?,
            0x8b | b'X' | b'T' | b'B' => self.counted(4)?,
            0x8d | 0x8e | 0x96 => self.counted(8)?,
            _ => return self.compound(opcode, at),
        }
        let bytes = Cow::Borrowed(&self.reader.bytes[at..self.reader.at]);
        self.push(Make::Atom(bytes), at)
    }

    fn compound(&mut self, opcode: u8, at: usize) -> Step {
        match opcode {
            b']' | b'}' | 0x8f => self.push(Make::Empty(opcode), at),
            0x85..=0x87 => {
                let elements = self.take(usize::from(opcode - 0x84), at)?;
                self.push(Make::Tuple(elements), at)
            }
            b't' => {
                let elements = self.above(at)?;
                self.push(Make::Tuple(elements), at)
            }
            0x91 => {
                let elements = self.above(at)?;
                self.push(Make::FrozenSet(elements), at)
            }
            b'l' => {
                let elements = self.above(at)?;
                self.push(Make::Empty(b']'), at)?;
                self.change(Change::Append(elements), at)
            }
            b'd' => {
                let elements = self.above(at)?;
                self.push(Make::Empty(b'}'), at)?;
                self.change(Change::Items(elements), at)
            }
            REDUCE | NEWOBJ | STACK_GLOBAL => self.apply(opcode, 2, at),
            NEWOBJ_EX => self.apply(opcode, 3, at),
            BINPERSID => self.apply(opcode, 1, at),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'a' => {
                let one = self.take(1, at)?;
                self.change(Change::Append(one), at)
            }
            b's' => {
                let pair = self.take(2, at)?;
                self.change(Change::Items(pair), at)
            }
            b'e' => {
                let elements = self.above(at)?;
                self.change(Change::Append(elements), at)
            }
            b'u' => {
                let elements = self.above(at)?;
                if !elements.len().is_multiple_of(2) {
                    return Err(Failure::malformed(at, "keys and values in turn", "a key without a value"));
                }
                self.change(Change::Items(elements), at)
            }
            0x90 => {
                let elements = self.above(at)?;
                self.change(Change::Add(elements), at)
            }
            b'b' => {
                let state = self.pop(at)?;
                self.change(Change::Build(state), at)
            }
            b'0' | b'1' | b'2' => self.stack_only(opcode, at),
            b'q' | b'r' | b'p' | 0x94 => {
                let number = match opcode {
                    0x94 => self.memo.len(),
                    _ => self.memo_number(opcode, at)?,
                };
                let top = *self.stack.last().ok_or_else(|| Failure::malformed(at, "a value to remember", "none"))?;
                self.memo.insert(number, top);
                Ok(())
            }
            b'h' | b'j' | b'g' => {
                let number = self.memo_number(opcode, at)?;
                let known = self.memo.get(&number).copied();
                let known = known.ok_or_else(|| Failure::malformed(at, "something remembered", "nothing"))?;
                self.stack.push(known);
                Ok(())
            }
            other => {
                let help = "load it and save it again with torch.save".to_owned();
                let name = format!("pickle with the opcode {other:#04x}");
                Err(Box::new(Failure { at, problem: Problem::Unsupported { name, help } }))
            }
        }
    }

    fn stack_only(&mut self, opcode: u8, at: usize) -> Step {
        match opcode {
            b'0' if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
            }
            b'0' => {
                self.pop(at)?;
            }
            b'1' => {
                self.above(at)?;
            }
            _ => {
                let top = self.pop(at)?;
                self.stack.extend([top, top]);
            }
        }
        Ok(())
    }

    fn memo_number(&mut self, opcode: u8, at: usize) -> Step<usize> {
        let number = match opcode {
            b'q' | b'h' => self.reader.unsigned(1)?,
            b'r' | b'j' => self.reader.unsigned(4)?,
            _ => {
                let word = self.reader.word()?;
                word.parse().map_err(|_| Failure::malformed(at, "a number of the memo", "other text"))?
            }
        };
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn skip(&mut self, length: usize) -> Step {
        self.reader.take(length).map(|_| ())
    }

    fn counted(&mut self, width: usize) -> Step {
        self.reader.counted(width).map(|_| ())
    }

    fn line(&mut self) -> Step {
        self.reader.line().map(|_| ())
    }

    fn push(&mut self, make: Make<'p>, at: usize) -> Step {
        let id = self.graph.add_value(Value { make, changes: Vec::new() });
        self.stack.push(id.ok_or_else(|| Failure::malformed(at, "fewer than 2^32 values", "more"))?);
        Ok(())
    }

    fn apply(&mut self, opcode: u8, count: usize, at: usize) -> Step {
        let parts = self.take(count, at)?;
        self.push(Make::Apply { opcode, parts }, at)
    }

    /// Notes a change of the value on top of the stack. What comes bit by bit becomes one change.
    fn change(&mut self, change: Change, at: usize) -> Step {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = self.stack.last().copied().filter(|_| self.stack.len() > floor);
        let top = top.ok_or_else(|| Failure::malformed(at, "a value to change", "none"))?;
        let changes = &mut self.graph.value_mut(top).changes;
        match (changes.last_mut(), change) {
            (Some(Change::Append(old)), Change::Append(new)) | (Some(Change::Items(old)), Change::Items(new)) => {
                old.extend(new);
            }
            (Some(Change::Add(old)), Change::Add(new)) => old.extend(new),
            (_, change) => changes.push(change),
        }
        Ok(())
    }

    fn take(&mut self, count: usize, at: usize) -> Step<Vec<Ref>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let from = self.stack.len().checked_sub(count).filter(|&from| from >= floor);
        let from = from.ok_or_else(|| Failure::malformed(at, "values on the stack", "fewer"))?;
        Ok(self.stack.split_off(from))
    }

    fn above(&mut self, at: usize) -> Step<Vec<Ref>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or_else(|| Failure::malformed(at, "a mark on the stack", "none"))?))
    }

    fn pop(&mut self, at: usize) -> Step<Ref> {
        Ok(self.take(1, at)?[0])
    }
}
