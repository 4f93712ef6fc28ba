//! Where everything of a zip archive as `torch.save` writes it will lie, known before a byte is written: stored entries,
//! each one's data at a multiple of 64 bytes, zip64 where it is needed. Only the checksums come later.

/// What torch aligns data to.
const ALIGNMENT: u64 = 64;
/// The extra field that torch pads with.
const PADDING: [u8; 2] = *b"FB";
/// Names are UTF-8.
const FLAGS: u16 = 0x0800;
const FULL: u32 = u32::MAX;

/// An archive before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its entries, in the order in which they lie in the file.
    pub entries: Vec<Placed>,
    /// Where the directory starts.
    pub directory: u64,
}

/// An entry with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its name.
    pub name: String,
    /// Bytes of content.
    pub size: u64,
    /// Where its header starts.
    pub header: u64,
    /// Where its content starts.
    pub data: u64,
}

impl Layout {
    /// Places entries of these names and sizes; `None` when they do not fit a zip archive.
    pub fn new(entries: impl IntoIterator<Item = (String, u64)>) -> Option<Self> {
        let mut at = 0_u64;
        let mut placed = Vec::new();
        for (name, size) in entries {
            let fixed = 30 + u64::from(u16::try_from(name.len()).ok()?) + if size >= FULL.into() { 20 } else { 0 };
            // An extra field has four bytes before its content.
            let data = at.checked_add(fixed + 4)?.checked_next_multiple_of(ALIGNMENT)?;
            placed.push(Placed { name, size, header: at, data });
            at = data.checked_add(size)?;
        }
        Some(Self { entries: placed, directory: at })
    }

    /// The directory and the records at the archive's end, with the checksums of all entries.
    pub fn end(&self, checksums: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        for (entry, &checksum) in self.entries.iter().zip(checksums) {
            entry.central(checksum, &mut out);
        }
        let (count, size, offset) = (self.entries.len() as u64, out.len() as u64, self.directory);
        out.extend(0x0606_4b50_u32.to_le_bytes());
        out.extend(44_u64.to_le_bytes());
        out.extend([45, 0, 45, 0]);
        out.extend([0; 8]);
        out.extend([count, count, size, offset].iter().flat_map(|number| number.to_le_bytes()));
        out.extend(0x0706_4b50_u32.to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        out.extend((offset + size).to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        out.extend(0x0605_4b50_u32.to_le_bytes());
        out.extend([0; 4]);
        let short = u16::try_from(count).unwrap_or(u16::MAX);
        out.extend([short, short].iter().flat_map(|number| number.to_le_bytes()));
        out.extend([narrow(size), narrow(offset)].iter().flat_map(|number| number.to_le_bytes()));
        out.extend([0; 2]);
        out
    }
}

impl Placed {
    /// What stands before the content: the local header and padding.
    pub fn local_header(&self, checksum: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let is_large = self.size >= FULL.into();
        out.extend(0x0403_4b50_u32.to_le_bytes());
        out.extend([if is_large { 45_u16 } else { 10 }, FLAGS, 0, 0, 0].iter().flat_map(|number| number.to_le_bytes()));
        out.extend([checksum, narrow(self.size), narrow(self.size)].iter().flat_map(|number| number.to_le_bytes()));
        let extra = self.data - self.header - 30 - self.name.len() as u64;
        // Both fit: `new` saw to the name's length, and padding is less than twice the alignment.
        out.extend([self.name.len() as u16, extra as u16].iter().flat_map(|number| number.to_le_bytes()));
        out.extend(self.name.as_bytes());
        let mut padding = extra;
        if is_large {
            out.extend([1, 0, 16, 0]);
            out.extend([self.size, self.size].iter().flat_map(|number| number.to_le_bytes()));
            padding -= 20;
        }
        out.extend(PADDING);
        out.extend((padding as u16 - 4).to_le_bytes());
        out.resize(out.len() + padding as usize - 4, b'Z');
        out
    }

    fn central(&self, checksum: u32, out: &mut Vec<u8>) {
        let overflowing = [self.size, self.size, self.header].into_iter().filter(|&number| number >= FULL.into());
        let extra: Vec<u8> = overflowing.flat_map(u64::to_le_bytes).collect();
        out.extend(0x0201_4b50_u32.to_le_bytes());
        let version = if extra.is_empty() { 10_u16 } else { 45 };
        out.extend([version, version, FLAGS, 0, 0, 0].iter().flat_map(|number| number.to_le_bytes()));
        out.extend([checksum, narrow(self.size), narrow(self.size)].iter().flat_map(|number| number.to_le_bytes()));
        let length = if extra.is_empty() { 0 } else { extra.len() as u16 + 4 };
        out.extend([self.name.len() as u16, length, 0, 0, 0].iter().flat_map(|number| number.to_le_bytes()));
        out.extend(0_u32.to_le_bytes());
        out.extend(narrow(self.header).to_le_bytes());
        out.extend(self.name.as_bytes());
        if !extra.is_empty() {
            out.extend([1_u16, extra.len() as u16].iter().flat_map(|number| number.to_le_bytes()));
            out.extend(extra);
        }
    }
}

/// The number, or the mark that the zip64 field has it.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(FULL)
}

#[cfg(test)]
mod tests {
    use super::super::store::{Blob, LocalStore, Section, Store as _};
    use super::super::zip::Archive;
    use super::*;

    /// Writes an archive with holes instead of contents larger than a megabyte.
    fn written(sizes: &[(&str, u64)]) -> (tempfile::TempDir, Box<dyn Blob>) {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let layout = Layout::new(sizes.iter().map(|(name, size)| ((*name).to_owned(), *size))).expect("a layout");
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = std::fs::File::create(folder.path().join("x.pt")).expect("a file");
        let mut put = |at: u64, bytes: &[u8]| {
            file.seek(SeekFrom::Start(at)).expect("seek");
            file.write_all(bytes).expect("write");
        };
        let mut checksums = Vec::new();
        for entry in &layout.entries {
            let header = entry.local_header(7);
            assert_eq!(entry.header + header.len() as u64, entry.data, "{}", entry.name);
            assert_eq!(entry.data % 64, 0);
            put(entry.header, &header);
            if entry.size < 1 << 20 {
                put(entry.data, &vec![b'x'; entry.size as usize]);
            }
            checksums.push(7);
        }
        put(layout.directory, &layout.end(&checksums));
        let blob = LocalStore::new(folder.path()).open("x.pt").expect("a file");
        (folder, blob)
    }

    #[test]
    fn the_reader_finds_what_is_placed() {
        let sizes = [("a/data.pkl", 100), ("a/data/0", 0), ("a/data/1", 64), ("a/data/2", 1)];
        let (_folder, blob) = written(&sizes);
        let section = Section::whole(&*blob);
        let archive = Archive::read(&section).expect("an archive");
        for (name, size) in sizes {
            let (content, at) = archive.content(&section, name, 1000).expect(name);
            assert_eq!((content.len() as u64, at % 64), (size, 0));
            assert!(content.iter().all(|&byte| byte == b'x'));
        }
    }

    #[test]
    fn large_archives_use_zip64() {
        let sizes = [("a/data.pkl", 10), ("a/data/0", u64::from(u32::MAX)), ("a/data/1", 5), ("a/data/2", 6 << 30)];
        let (_folder, blob) = written(&sizes);
        let section = Section::whole(&*blob);
        let archive = Archive::read(&section).expect("an archive");
        for (name, size) in sizes {
            assert_eq!(archive.get(name).map(|entry| entry.size), Some(size), "{name}");
        }
        assert_eq!(archive.content(&section, "a/data/1", 10).expect("content").0, b"xxxxx");
    }
}
