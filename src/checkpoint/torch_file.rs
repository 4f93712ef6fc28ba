//! Files of `torch.save`: the zip archive of torch 1.6 and later, and the row of pickles before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Problem, Result, malformed};
use super::pickle::{Data, Failure, Id, Loaded, load};
use super::state::{Reading, Role, State};
use super::store::{Blob, Section};
use super::torch_tensor::StorageFact;
use super::zip::Archive;
use crate::rules::storage::StorageRules;

/// More bytes than the pickle of any checkpoint's file has.
pub(crate) const MAX_PICKLE: u64 = 512 << 20;

/// The first bytes of the old format: a pickle of the number 0x1950a86a20f9469cfc6c.
const LEGACY_MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// What a torch.save file holds, and the names that its pickle mentions.
pub struct TorchFile {
    /// Its content.
    pub state: State,
    /// Every `module.name` that loading it would import, sorted.
    pub globals: Vec<String>,
}

/// How to read a file.
#[derive(Clone, Copy)]
pub struct Purpose<'r> {
    /// The framework's names.
    pub rules: &'r StorageRules,
    /// The file's name in the checkpoint.
    pub file: &'r Arc<str>,
    /// What the file is for.
    pub role: Role,
}

/// Whether a file that starts so is one of torch.save.
pub fn is_torch(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") || is_legacy(head)
}

/// Whether a file that starts so has the format before torch 1.6, in any pickle protocol.
pub(crate) fn is_legacy(head: &[u8]) -> bool {
    let magic = &LEGACY_MAGIC[2..];
    head.first() == Some(&0x80)
        && (head.get(2..).is_some_and(|h| h.starts_with(magic) || h.get(9..).is_some_and(|h| h.starts_with(magic))))
}

/// Reads a whole file.
pub fn read(blob: &dyn Blob, purpose: Purpose<'_>) -> Result<TorchFile> {
    if is_legacy(&blob.head(64)?) { legacy(blob, purpose) } else { zip(&Section::whole(blob), purpose) }
}

/// Reads a zip archive, alone or inside another file.
pub fn zip(section: &Section<'_>, purpose: Purpose<'_>) -> Result<TorchFile> {
    let archive = Archive::read(section)?;
    let (folder, name) = folder(&archive, section)?;
    let (bytes, start) = archive.content(section, &name, MAX_PICKLE)?;
    let located = |failure: Failure| section.error(start + failure.at as u64, failure.problem);
    let loaded = load(&bytes).map_err(located)?;
    let mut name = format!("{folder}data/");
    let prefix = name.len();
    let mut check = |_: &str, storage: &StorageFact| {
        name.truncate(prefix);
        name.push_str(&storage.key);
        match archive.get(&name) {
            Some(entry) if entry.size >= storage.bytes => Ok(()),
            Some(entry) => Err(malformed(format!("{} bytes in `{name}`", storage.bytes), entry.size)),
            None => Err(malformed(format!("the zip entry `{name}`"), "no such entry")),
        }
    };
    let globals = loaded.global_names();
    let reading = Reading::new(&loaded.data, purpose.rules, purpose.file, &mut check);
    let state = reading.state(loaded.root, purpose.role).map_err(|problem| section.error(start, problem))?;
    Ok(TorchFile { state, globals })
}

/// The folder of an archive, with `/`, and the name of its pickle.
pub(crate) fn folder(archive: &Archive, section: &Section<'_>) -> Result<(String, String)> {
    // The folder in the archive is named like the file was when it was saved; renaming the file does not rename it.
    let pickles = archive.names().filter(|name| name.ends_with("/data.pkl"));
    let Some(name) = pickles.min_by_key(|name| (name.len(), *name)) else {
        let found =
            if archive.get("constants.pkl").is_some() { "a TorchScript archive" } else { "a zip archive without" };
        return Err(section.error(0, malformed("the entry `data.pkl` of torch.save", found)));
    };
    let folder = &name[..name.len() - "data.pkl".len()];
    if archive.names().any(|name| name.strip_prefix(folder) == Some("constants.pkl")) {
        let help =
            "it holds a program (torch.jit.save), not a state dict: save the state dict with torch.save".to_owned();
        let problem = Problem::Unsupported { name: "TorchScript".to_owned(), help };
        return Err(section.error(0, problem));
    }
    Ok((folder.to_owned(), name.to_owned()))
}

/// Reads the old format: magic number, protocol number, system, the object, the list of storages, then raw data:
/// for each storage its size in elements and its bytes. Source: torch/serialization.py, `_legacy_save`.
fn legacy(blob: &dyn Blob, purpose: Purpose<'_>) -> Result<TorchFile> {
    let section = Section::whole(blob);
    let mut length = 1 << 20;
    // The pickles' size is not written anywhere: read more until they end.
    loop {
        let bytes = blob.head(length)?;
        match pickles(&bytes) {
            Err(Failure { problem: Problem::Truncated(_), .. }) if (bytes.len() as u64) < blob.len() => {
                let next = section.bounded("the header of a torch.save file", length as u64 * 4, MAX_PICKLE);
                length =
                    if length as u64 * 4 > blob.len() { usize::try_from(blob.len()).unwrap_or(length) } else { next? };
            }
            Err(failure) => return Err(section.error(failure.at as u64, failure.problem)),
            Ok(pickles) => return legacy_state(blob, &pickles, purpose),
        }
    }
}

/// The object and the list of storages, each with its place.
struct Pickles<'p> {
    object: (Loaded<'p>, usize),
    keys: Loaded<'p>,
    end: usize,
}

fn pickles(bytes: &[u8]) -> std::result::Result<Pickles<'_>, Failure> {
    let mut at = 0;
    let mut next = || {
        let start = at;
        let moved = |failure: Failure| Failure { at: start + failure.at, problem: failure.problem };
        let loaded = load(&bytes[start..]).map_err(moved)?;
        at += loaded.length;
        Ok((loaded, start))
    };
    let (_magic, _protocol, _system) = (next()?, next()?, next()?);
    let object = next()?;
    let (keys, start) = next()?;
    let end = start + keys.length;
    Ok(Pickles { object, keys, end })
}

fn legacy_state(blob: &dyn Blob, pickles: &Pickles<'_>, purpose: Purpose<'_>) -> Result<TorchFile> {
    let section = Section::whole(blob);
    let (loaded, start) = (&pickles.object.0, pickles.object.1 as u64);
    let mut storages = BTreeMap::new();
    let mut note = |_: &str, storage: &StorageFact| {
        storages.insert(storage.key.clone(), storage.bytes);
        Ok(())
    };
    let reading = Reading::new(&loaded.data, purpose.rules, purpose.file, &mut note);
    let state = reading.state(loaded.root, purpose.role).map_err(|problem| section.error(start, problem))?;
    let globals = loaded.global_names();
    let listed = listed(&pickles.keys.data, pickles.keys.root);
    if let Some(key) = storages.keys().find(|&key| listed.binary_search(key).is_err()) {
        let expected = format!("the storage `{key}` in the list of storages");
        return Err(section.error(pickles.end as u64, malformed(expected, "no such key")));
    }
    // Each storage is preceded by its size; what no tensor uses is not known, so this is a lower bound.
    let needed = storages.values().fold(pickles.end as u64, |sum, bytes| sum.saturating_add(bytes.saturating_add(8)));
    if blob.len() < needed {
        return Err(section.error(blob.len(), Problem::Truncated(format!("{needed} bytes in all"))));
    }
    Ok(TorchFile { state, globals })
}

/// The keys of a list of storages, sorted.
fn listed(data: &Data<'_>, root: Id) -> Vec<String> {
    let keys = data.elements(root).unwrap_or(&[]).iter();
    let mut keys: Vec<String> = keys
        .filter_map(|&key| data.str(key).map(str::to_owned).or_else(|| data.int(key).map(|k| k.to_string())))
        .collect();
    keys.sort_unstable();
    keys
}
