//! The directory of a zip archive as `torch.save` writes it: stored entries, zip64, read with two or three ranges.
//!
//! Sizes stand only in the central directory (the local headers have them in data descriptors), and the data's
//! offset only in the local header. Format: PKWARE APPNOTE 6.3.10, sections 4.3.6 to 4.5.3.

use std::collections::HashMap;

use super::error::{Problem, Result, malformed};
use super::store::Section;

/// More entries than any checkpoint has.
const MAX_ENTRIES: u64 = 4 << 20;
/// More bytes than the directory of so many entries needs in practice.
const MAX_DIRECTORY: u64 = 512 << 20;
/// The end record, the zip64 locator and record.
const SHORT_TAIL: u64 = 22 + 20 + 56;
/// The same with the longest comment.
const TAIL: u64 = SHORT_TAIL + 65_535;

/// One entry of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Bytes of content.
    pub size: u64,
    /// Bytes in the archive; other than `size` when compressed.
    pub stored: u64,
    /// Compression method: 0 is none.
    pub method: u16,
    /// Where its local header starts.
    pub header: u64,
}

/// The entries of an archive by name.
#[derive(Debug)]
pub struct Archive {
    entries: HashMap<Box<str>, Entry>,
}

impl Archive {
    /// Reads the central directory.
    pub fn read(section: &Section<'_>) -> Result<Self> {
        let end = End::find(section)?;
        if end.entries > MAX_ENTRIES || end.entries > end.size / 46 {
            let limit = MAX_ENTRIES.min(end.size / 46);
            let problem = Problem::TooLarge { what: "a number of zip entries".to_owned(), claimed: end.entries, limit };
            return Err(section.error(end.offset, problem));
        }
        let size = section.bounded("a zip directory", end.size, MAX_DIRECTORY)?;
        let bytes = section.read(end.offset, size)?;
        let mut entries = HashMap::with_capacity(usize::try_from(end.entries).unwrap_or(0));
        let mut rest = Fields::new(&bytes);
        for _ in 0..end.entries {
            let at = end.offset + rest.at as u64;
            let (name, entry) = central(&mut rest)
                .ok_or_else(|| section.error(at, malformed("an entry of the zip directory", "other bytes")))?;
            let fits = entry.header.checked_add(30).and_then(|data| data.checked_add(entry.stored));
            if fits.is_none_or(|data| data > end.offset) {
                let found = format!("`{name}` of {} bytes at byte {}", entry.stored, entry.header);
                return Err(section.error(at, malformed("an entry that lies before the zip directory", found)));
            }
            entries.insert(name.into(), entry);
        }
        Ok(Self { entries })
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The names of all entries, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(|name| &**name)
    }

    /// The content of a stored entry, if it is not larger than `limit`, and its offset in the section.
    pub fn content(&self, section: &Section<'_>, name: &str, limit: u64) -> Result<(Vec<u8>, u64)> {
        let (entry, start) = self.place(section, name)?;
        let size = section.bounded(&format!("the zip entry `{name}`"), entry.size, limit)?;
        Ok((section.read(start, size)?, start))
    }

    /// A stored entry and where its content starts in the section.
    pub fn place(&self, section: &Section<'_>, name: &str) -> Result<(Entry, u64)> {
        let missing = || section.error(0, malformed(format!("the zip entry `{name}`"), "no such entry"));
        let entry = *self.get(name).ok_or_else(missing)?;
        if entry.method != 0 || entry.size != entry.stored {
            let found = format!("compression method {}", entry.method);
            return Err(section.error(entry.header, malformed("an entry that is stored without compression", found)));
        }
        let header = section.read(entry.header, 30)?;
        let mut fields = Fields::new(&header);
        let lengths = (fields.u32() == Some(0x0403_4b50)).then(|| fields.skip(22)).flatten();
        let lengths = lengths.and_then(|()| Some(u64::from(fields.u16()?) + u64::from(fields.u16()?)));
        let lengths = lengths
            .ok_or_else(|| section.error(entry.header, malformed("a local zip header `PK\\3\\4`", "other bytes")))?;
        let start = entry.header + 30 + lengths;
        match start.checked_add(entry.size).filter(|&end| end <= section.len()) {
            Some(_) => Ok((entry, start)),
            None => Err(section.error(start, Problem::Truncated(format!("the {} bytes of `{name}`", entry.size)))),
        }
    }
}

/// Where an archive's central directory starts.
pub fn directory_start(section: &Section<'_>) -> Result<u64> {
    Ok(End::find(section)?.offset)
}

/// What the end records say.
struct End {
    entries: u64,
    size: u64,
    offset: u64,
}

impl End {
    fn find(section: &Section<'_>) -> Result<Self> {
        // torch writes no comment.
        Self::within(section, SHORT_TAIL).or_else(|_| Self::within(section, TAIL))
    }

    fn within(section: &Section<'_>, tail: u64) -> Result<Self> {
        let length = section.len().min(tail);
        let start = section.len() - length;
        let tail = section.read(start, usize::try_from(length).unwrap_or(0))?;
        let cut_off = || Problem::Truncated("the directory at the end of a zip archive".to_owned());
        let at = (0..tail.len().saturating_sub(21)).rev().find(|&at| is_end(&tail[at..]));
        let at = at.ok_or_else(|| section.error(section.len(), cut_off()))?;
        let mut fields = Fields::new(&tail[at + 10..]);
        let plain = || Some((u64::from(fields.u16()?), u64::from(fields.u32()?), u64::from(fields.u32()?)));
        let broken = || section.error(start + at as u64, malformed("a zip end record", "other bytes"));
        let (entries, size, offset) = { plain }().ok_or_else(broken)?;
        let end = match Self::zip64(section, &tail, start, at)? {
            Some(end) => end,
            None => Self { entries, size, offset },
        };
        if end.offset.checked_add(end.size).is_none_or(|last| last > start + at as u64) {
            let found = format!("{} bytes at byte {}", end.size, end.offset);
            return Err(section.error(start + at as u64, malformed("a zip directory before its end record", found)));
        }
        Ok(end)
    }

    /// The zip64 record, when a locator stands right before the end record at `at`. torch always writes one.
    fn zip64(section: &Section<'_>, tail: &[u8], start: u64, at: usize) -> Result<Option<Self>> {
        let Some(locator) = at.checked_sub(20) else { return Ok(None) };
        let mut fields = Fields::new(&tail[locator..]);
        if fields.u32() != Some(0x0706_4b50) {
            return Ok(None);
        }
        let broken = |offset| section.error(offset, malformed("a zip64 end record", "other bytes"));
        let offset = fields.skip(4).and_then(|()| fields.u64()).ok_or_else(|| broken(start + locator as u64))?;
        let record = section.read(offset, 56)?;
        let mut fields = Fields::new(&record);
        if fields.u32() != Some(0x0606_4b50) {
            return Err(broken(offset));
        }
        let mut end = || {
            fields.skip(28)?;
            Some(Self { entries: fields.u64()?, size: fields.u64()?, offset: fields.u64()? })
        };
        end().map(Some).ok_or_else(|| broken(offset))
    }
}

/// Whether an end record starts here whose comment reaches exactly to the end.
fn is_end(bytes: &[u8]) -> bool {
    let comment = bytes.get(20..22).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    bytes.starts_with(b"PK\x05\x06") && comment == Some(bytes.len() - 22)
}

/// One central directory entry.
fn central<'b>(fields: &mut Fields<'b>) -> Option<(&'b str, Entry)> {
    (fields.u32()? == 0x0201_4b50).then_some(())?;
    fields.skip(6)?;
    let method = fields.u16()?;
    fields.skip(8)?;
    let (stored, size) = (fields.u32()?, fields.u32()?);
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    fields.skip(8)?;
    let header = fields.u32()?;
    let name = std::str::from_utf8(fields.bytes(name.into())?).ok()?;
    let mut entry = Entry { size: size.into(), stored: stored.into(), method, header: header.into() };
    let mut extras = Fields::new(fields.bytes(extra.into())?);
    fields.skip(comment.into())?;
    while let (Some(id), Some(length)) = (extras.u16(), extras.u16()) {
        let mut content = Fields::new(extras.bytes(length.into())?);
        // Only the fields that overflow are there, in this order.
        if id == 1 {
            for (value, is_full) in [
                (&mut entry.size, size == u32::MAX),
                (&mut entry.stored, stored == u32::MAX),
                (&mut entry.header, header == u32::MAX),
            ] {
                if is_full {
                    *value = content.u64()?;
                }
            }
        }
    }
    Some((name, entry))
}

/// Little-endian fields of a byte string.
struct Fields<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Fields<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(bytes)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.bytes(length).map(|_| ())
    }

    fn u16(&mut self) -> Option<u16> {
        self.bytes(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes(8)?.try_into().ok().map(u64::from_le_bytes)
    }
}
