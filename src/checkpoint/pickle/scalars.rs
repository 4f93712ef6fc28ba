//! Steps of the machine that put a single value on the stack.

use super::data::{Id, Node};
use super::machine::{Failure, Machine, Step};
use super::opcodes::long;

impl Machine<'_> {
    pub(super) fn protocol(&mut self) -> Step {
        match self.reader.byte()? {
            0..=5 => Ok(()),
            other => Err(self.bad("a pickle protocol up to 5", &other.to_string())),
        }
    }

    pub(super) fn frame(&mut self) -> Step {
        let length = self.reader.unsigned(8)?;
        let left = (self.reader.bytes.len() - self.reader.at) as u64;
        if length > left {
            let expected = format!("a frame of {length} bytes, the pickle has {left} more");
            return Err(Failure::truncated(self.at, expected));
        }
        Ok(())
    }

    pub(super) fn small_int(&mut self, width: usize) -> Step {
        let number = self.reader.unsigned(width)?;
        self.push_int(number.cast_signed())
    }

    pub(super) fn text_int(&mut self) -> Step {
        let word = self.reader.word()?;
        match word {
            "00" => return self.push(Id::FALSE),
            "01" => return self.push(Id::TRUE),
            _ => {}
        }
        match word.trim_end_matches('L').parse() {
            Ok(number) => self.push_int(number),
            Err(_) if is_number(word) => self.push_node(Node::Str(word)),
            Err(_) => Err(self.bad("a whole number", "other text")),
        }
    }

    pub(super) fn long(&mut self, width: usize) -> Step {
        let bytes = self.reader.counted(width)?;
        match long(bytes) {
            Ok(number) => self.push_int(number),
            Err(bytes) => self.push_node(Node::Long(bytes)),
        }
    }

    pub(super) fn text_float(&mut self) -> Step {
        let word = self.reader.word()?;
        let number = word.trim().parse().map_err(|_| self.bad("a floating-point number", "other text"))?;
        self.push_node(Node::Float(number))
    }

    pub(super) fn text(&mut self, width: usize) -> Step {
        let bytes = self.reader.counted(width)?;
        self.push_node(match std::str::from_utf8(bytes) {
            Ok(text) => Node::Str(text),
            // Lone surrogates: Python keeps them, no name that matters has them.
            Err(_) => Node::Text(String::from_utf8_lossy(bytes).into()),
        })
    }

    /// Strings of Python 2: text or bytes, nobody knows.
    pub(super) fn old_string(&mut self, width: usize) -> Step {
        let bytes = self.reader.counted(width)?;
        self.push_node(std::str::from_utf8(bytes).map_or(Node::Bytes(bytes), Node::Str))
    }

    pub(super) fn byte_string(&mut self, width: usize) -> Step {
        let bytes = self.reader.counted(width)?;
        self.push_node(Node::Bytes(bytes))
    }
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_end_matches('L').trim_start_matches('-');
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}
