//! safetensors: one file, or a directory of them with or without an index. Only headers are read.
//!
//! The rules for a header are those of the `safetensors` crate, which every loader uses: offsets tile the data
//! exactly. It accepts a name that stands twice (the last one wins); that is reported here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use safetensors::{Dtype as Stored, tensor::TensorInfo};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::error::{CheckpointError, Problem, Result, malformed};
use super::store::{Blob, ItemKind, Store};
use crate::tensor::{Dtype, Inventory, Key, Tensor};

/// The crate refuses longer headers.
const MAX_HEADER: u64 = 100_000_000;
/// An index lists names only.
const MAX_INDEX: u64 = 256 << 20;
/// The end of an index file's name.
pub(super) const INDEX: &str = ".safetensors.index.json";
/// The end of a file's name.
pub(super) const SUFFIX: &str = ".safetensors";

/// What safetensors files hold.
#[derive(Debug, Default)]
pub struct Content {
    /// All tensors.
    pub tensors: Inventory,
    /// The `__metadata__` texts, of all files.
    pub metadata: BTreeMap<String, String>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// Damage that leaves the rest readable.
    pub problems: Vec<CheckpointError>,
}

/// Whether a file that starts so may be a safetensors file.
pub fn is_safetensors(head: &[u8]) -> bool {
    head.len() > 8 && head[8] == b'{'
}

/// Reads one file.
pub fn file(store: &dyn Store, name: &str) -> Result<Content> {
    let header = header(&*store.open(name)?)?;
    Ok(join(std::iter::once((name, Ok(header)))))
}

/// Reads all files of a directory that has no index.
pub fn directory(store: &dyn Store, names: &[String]) -> Result<Content> {
    Ok(merge(store, names))
}

/// Reads the files that an index names. The index decides which tensors there are, as for its loaders.
pub fn indexed(store: &dyn Store, index: &str) -> Result<Content> {
    let blob = store.open(index)?;
    let bytes = blob.all("a safetensors index", MAX_INDEX)?;
    let parsed: Index = serde_json::from_slice(&bytes).map_err(|error| json_error(&*blob, &bytes, 0, &error))?;
    let mut names: Vec<String> = parsed.weight_map.values().cloned().collect();
    names.sort_unstable();
    names.dedup();
    let mut content = merge(store, &names);
    let found = std::mem::take(&mut content.tensors);
    for (key, file) in &parsed.weight_map {
        match found.get(key) {
            Some(tensor) if tensor.file.as_deref() == Some(&**file) => {
                content.tensors.insert(key.as_str(), tensor.clone());
            }
            // A file that could not be read is a problem already.
            None if content.problems.iter().any(|problem| problem.file == store.path(file)) => {}
            _ => {
                let expected = format!("the tensor `{key}`, which {index} places here");
                content.problems.push(CheckpointError::new(store.path(file), malformed(expected, "no such tensor")));
            }
        }
    }
    let hidden: Vec<_> = found.iter().filter(|(key, _)| !parsed.weight_map.contains_key(&***key)).collect();
    if let Some((key, tensor)) = hidden.first() {
        let file = tensor.file.as_deref().unwrap_or("");
        content.notes.push(format!(
            "{} tensors are in the files but not in {index}, so that loaders do not see them: `{key}` in {file}{}",
            hidden.len(),
            if hidden.len() > 1 { ", ..." } else { "" }
        ));
    }
    Ok(content)
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

fn merge(store: &dyn Store, names: &[String]) -> Content {
    let headers: Vec<Result<Header>> =
        names.par_iter().map(|name| store.open(name).and_then(|blob| header(&*blob))).collect();
    join(names.iter().map(String::as_str).zip(headers))
}

/// Joins the headers of files. Names are sorted once for all: the whole costs little more than parsing them.
fn join<'n>(headers: impl Iterator<Item = (&'n str, Result<Header>)>) -> Content {
    let mut content = Content::default();
    let mut entries: Vec<(Key, Tensor)> = Vec::new();
    let mut dtypes: Vec<(Stored, Dtype)> = Vec::new();
    for (name, header) in headers {
        let file: Arc<str> = Arc::from(name);
        let header = match header {
            Ok(header) => header,
            Err(problem) => {
                content.problems.push(problem);
                continue;
            }
        };
        for name in header.duplicates {
            content.notes.push(format!("{file}: the header lists `{name}` more than once; loaders take the last one"));
        }
        content.metadata.extend(header.metadata);
        entries.extend(header.tensors.into_iter().map(|(key, info)| {
            let shape = info.shape.into_iter().map(|size| size as u64).collect();
            (key, Tensor::tensor(shape, shared_dtype(info.dtype, &mut dtypes)).in_file(&file))
        }));
    }
    // Stable, so that the last file's tensor of a name is the last one.
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for pair in entries.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let file = |entry: &(Key, Tensor)| entry.1.file.as_deref().unwrap_or("").to_owned();
        content.notes.push(format!("`{}` is in two files, {} and {}", pair[0].0, file(&pair[0]), file(&pair[1])));
    }
    content.tensors = entries.into_iter().collect();
    content
}

/// A header names few element types again and again.
fn shared_dtype(stored: Stored, known: &mut Vec<(Stored, Dtype)>) -> Dtype {
    if let Some((_, dtype)) = known.iter().find(|(known, _)| *known == stored) {
        return dtype.clone();
    }
    let dtype = dtype(stored);
    known.push((stored, dtype.clone()));
    dtype
}

/// A header as it stands in the file.
#[derive(Debug)]
struct Header {
    tensors: Vec<(Key, TensorInfo)>,
    metadata: BTreeMap<String, String>,
    duplicates: Vec<Key>,
}

/// Reads and checks the header of one file.
fn header(blob: &dyn Blob) -> Result<Header> {
    if blob.len() < 8 {
        return Err(CheckpointError::new(blob.path(), Problem::Truncated("8 bytes with the header's size".to_owned())));
    }
    let claimed = blob.read(0, 8)?.try_into().map_or(0, u64::from_le_bytes);
    let size = blob.bounded("a safetensors header", claimed, MAX_HEADER)?;
    if claimed > blob.len() - 8 {
        let expected = format!("a header of {claimed} bytes, there are {} more", blob.len() - 8);
        return Err(CheckpointError::at(blob.path(), 8, Problem::Truncated(expected)));
    }
    let bytes = blob.read(8, size)?;
    let mut header: Header = serde_json::from_slice(&bytes).map_err(|error| json_error(blob, &bytes, 8, &error))?;
    // In the file's order first: it is that of the offsets. Only names that stand twice change the answer.
    let tiles = header.tile(blob, blob.len() - 8 - claimed);
    header.last_wins();
    if header.duplicates.is_empty() { tiles } else { header.tile(blob, blob.len() - 8 - claimed) }?;
    Ok(header)
}

impl Header {
    /// Sorts the tensors, leaves the last of several of one name, and remembers the names.
    fn last_wins(&mut self) {
        // The sort is stable: of equal names the last one stays last.
        self.tensors.sort_by(|a, b| a.0.cmp(&b.0));
        let twice = self.tensors.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| Key::clone(&pair[0].0));
        self.duplicates = twice.collect();
        if !self.duplicates.is_empty() {
            self.duplicates.dedup();
            self.tensors.reverse();
            self.tensors.dedup_by(|a, b| a.0 == b.0);
            self.tensors.reverse();
        }
    }

    /// Offsets must tile the data: no hole, no overlap, nothing left over. What the crate checks in `validate`.
    fn tile(&self, blob: &dyn Blob, data: u64) -> Result<()> {
        let bad = |problem| Err(CheckpointError::at(blob.path(), 8, problem));
        let mut order: Vec<&(Key, TensorInfo)> = self.tensors.iter().collect();
        order.sort_by_key(|(_, info)| info.data_offsets);
        let mut end = 0;
        for (name, info) in order {
            let (from, to) = info.data_offsets;
            if from != end || to < from {
                return bad(malformed(format!("the data of `{name}` to start at {end}"), format!("{from}..{to}")));
            }
            let elements = info.shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
            let bits = elements.and_then(|elements| elements.checked_mul(info.dtype.bitsize()));
            if bits.is_none_or(|bits| bits % 8 != 0 || bits / 8 != to - from) {
                let expected = format!("as many bytes for `{name}` as {:?} {:?} needs", info.dtype, info.shape);
                return bad(malformed(expected, to - from));
            }
            end = to;
        }
        match (end as u64).cmp(&data) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => bad(Problem::Truncated(format!("{end} bytes of data, there are {data}"))),
            std::cmp::Ordering::Less => bad(malformed(format!("{end} bytes of data"), data)),
        }
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one entry a tensor")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Header, M::Error> {
                let mut header = Header { tensors: Vec::new(), metadata: BTreeMap::new(), duplicates: Vec::new() };
                while let Some(Name(name)) = map.next_key()? {
                    if name == "__metadata__" {
                        header.metadata = map.next_value()?;
                    } else {
                        header.tensors.push((Key::from(name), map.next_value()?));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A name that is borrowed from the header where it has no escapes.
#[derive(Deserialize)]
struct Name<'h>(#[serde(borrow)] Cow<'h, str>);

/// A JSON error with its byte in the file.
fn json_error(blob: &dyn Blob, bytes: &[u8], start: u64, error: &serde_json::Error) -> CheckpointError {
    let line =
        bytes.split_inclusive(|&b| b == b'\n').take(error.line().saturating_sub(1)).map(<[u8]>::len).sum::<usize>();
    let at = start + (line + error.column().saturating_sub(1)) as u64;
    CheckpointError::at(blob.path(), at, malformed("a safetensors header or index in JSON", error))
}

/// torch's name of an element type.
fn dtype(stored: Stored) -> Dtype {
    Dtype::new(match stored {
        Stored::BOOL => "bool",
        Stored::U8 => "uint8",
        Stored::I8 => "int8",
        Stored::I16 => "int16",
        Stored::U16 => "uint16",
        Stored::F16 => "float16",
        Stored::BF16 => "bfloat16",
        Stored::I32 => "int32",
        Stored::U32 => "uint32",
        Stored::F32 => "float32",
        Stored::C64 => "complex64",
        Stored::F64 => "float64",
        Stored::I64 => "int64",
        Stored::U64 => "uint64",
        Stored::F8_E4M3 => "float8_e4m3fn",
        Stored::F8_E5M2 => "float8_e5m2",
        Stored::F8_E8M0 => "float8_e8m0fnu",
        Stored::F8_E4M3FNUZ => "float8_e4m3fnuz",
        Stored::F8_E5M2FNUZ => "float8_e5m2fnuz",
        Stored::F4 => "float4_e2m1fn_x2",
        other => return Dtype::new(&format!("{other:?}").to_lowercase()),
    })
}

/// The safetensors files that make up a directory's checkpoint: its index, or all of them.
pub fn find(folder_items: &[super::store::Item]) -> Option<Found> {
    let names = |suffix: &str| {
        let files = folder_items.iter().filter(|item| item.kind == ItemKind::File && item.name.ends_with(suffix));
        files.map(|item| item.name.clone()).collect::<Vec<_>>()
    };
    let (indexes, files) = (names(INDEX), names(SUFFIX));
    let usual = format!("model{INDEX}");
    // Without an index a file of the usual name is the whole model; others beside it are variants of it.
    let single = format!("model{SUFFIX}");
    match indexes.as_slice() {
        [index] => Some(Found::Index(index.clone())),
        [first, ..] => Some(Found::Index(indexes.iter().find(|name| **name == usual).unwrap_or(first).clone())),
        [] if files.contains(&single) => Some(Found::Files(vec![single])),
        [] if files.is_empty() => None,
        [] => Some(Found::Files(files)),
    }
}

/// See `find`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An index file.
    Index(String),
    /// Files without an index.
    Files(Vec<String>),
}
