//! The bytes of a pickle: opcodes and their arguments.

use super::machine::{Failure, Step};

/// A cursor over the pickle's bytes.
pub(super) struct Reader<'p> {
    pub(super) bytes: &'p [u8],
    pub(super) at: usize,
}

impl<'p> Reader<'p> {
    /// One byte.
    pub(super) fn byte(&mut self) -> Step<u8> {
        let byte = self.bytes.get(self.at).copied().ok_or_else(|| self.too_short(1))?;
        self.at += 1;
        Ok(byte)
    }

    #[cold]
    fn too_short(&self, wanted: usize) -> Box<Failure> {
        Failure::truncated(self.bytes.len(), format!("{wanted} more bytes of a pickle"))
    }

    /// An argument of that many bytes.
    pub(super) fn take(&mut self, length: usize) -> Step<&'p [u8]> {
        let end = self.at.checked_add(length);
        let bytes = end.and_then(|end| self.bytes.get(self.at..end));
        let bytes = bytes.ok_or_else(|| self.too_short(length))?;
        self.at += length;
        Ok(bytes)
    }

    /// An argument whose length is given by `width` bytes before it.
    pub(super) fn counted(&mut self, width: usize) -> Step<&'p [u8]> {
        let at = self.at;
        let length = self.unsigned(width)?;
        let left = (self.bytes.len() - self.at) as u64;
        if length > left {
            return Err(Failure::truncated(at, format!("a string of {length} bytes, the pickle has {left} more")));
        }
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A little-endian number without sign.
    pub(super) fn unsigned(&mut self, width: usize) -> Step<u64> {
        Ok(match *self.take(width)? {
            [a] => a.into(),
            [a, b] => u16::from_le_bytes([a, b]).into(),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]).into(),
            ref bytes => bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)),
        })
    }

    /// A line of text, without its end.
    pub(super) fn line(&mut self) -> Step<&'p [u8]> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| b == b'\n');
        let length =
            length.ok_or_else(|| Failure::truncated(self.bytes.len(), "the end of a line of a pickle".to_owned()))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    /// A line that is a number or a name.
    pub(super) fn word(&mut self) -> Step<&'p str> {
        let at = self.at;
        std::str::from_utf8(self.line()?).map_err(|_| Failure::malformed(at, "a line of UTF-8 text", "other bytes"))
    }
}

/// A two's complement number of any length: it fits, or its bytes.
pub(super) fn long(bytes: &[u8]) -> Result<i64, &[u8]> {
    let negative = bytes.last().is_some_and(|&b| b & 0x80 != 0);
    let fill = if negative { 0xff } else { 0 };
    let significant = bytes.iter().rposition(|&b| b != fill).map_or(0, |i| i + 1);
    let mut wide = [fill; 9];
    wide.get_mut(..significant).ok_or(bytes)?.copy_from_slice(&bytes[..significant]);
    let low = i64::from_le_bytes([wide[0], wide[1], wide[2], wide[3], wide[4], wide[5], wide[6], wide[7]]);
    if wide[8] == fill && (low < 0) == negative { Ok(low) } else { Err(bytes) }
}

/// The text of protocol 0's quoted strings: Python's backslash escapes, as bytes.
pub(super) fn unquote(line: &[u8]) -> Option<Vec<u8>> {
    let quote = *line.first().filter(|q| matches!(q, b'\'' | b'"'))?;
    let inner = line.get(1..line.len().checked_sub(1)?).filter(|_| line.last() == Some(&quote))?;
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        text.push(match rest.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'x' => hex(&[*rest.next()?, *rest.next()?])?.try_into().ok()?,
            &other => other,
        });
    }
    Some(text)
}

/// The text of protocol 0's `UNICODE`: `\uXXXX` and `\UXXXXXXXX` in Latin-1.
pub(super) fn unescape(line: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = match (byte, after.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                text.push(char::from(byte));
                rest = after;
                continue;
            }
        };
        let code = hex(after.get(1..=digits)?)?;
        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = &after[digits + 1..];
    }
    Some(text)
}

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'))?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longs_are_twos_complement() {
        assert_eq!(long(&[]), Ok(0));
        assert_eq!(long(&[0xff]), Ok(-1));
        assert_eq!(long(&[0xff, 0x00]), Ok(255));
        assert_eq!(long(&i64::MIN.to_le_bytes()), Ok(i64::MIN));
        assert_eq!(long(&[0xff; 20]), Ok(-1));
        let big = [0, 0, 0, 0, 0, 0, 0, 0x80, 0];
        assert_eq!(long(&big), Err(&big[..]));
        let mut magic = [0; 10];
        magic.copy_from_slice(&0x1950_a86a_20f9_469c_fc6c_u128.to_le_bytes()[..10]);
        assert_eq!(long(&magic), Err(&magic[..]));
    }

    #[test]
    fn protocol_0_strings_have_escapes() {
        assert_eq!(unquote(br"'a\n\x41\'b'"), Some(b"a\nA'b".to_vec()));
        assert_eq!(unquote(b"'open"), None);
        assert_eq!(unquote(b"'"), None);
        assert_eq!(unescape(br"a\u00e9\U0001F600").as_deref(), Some("aé😀"));
        assert_eq!(unescape(br"\u12"), None);
    }
}
