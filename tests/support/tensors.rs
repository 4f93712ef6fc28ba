//! Whole files of torch.save, elements included: an own reading of the zip archive, and the pickle as plain data.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use moe_lint::checkpoint::pickle::{Data, Id, Node, load};

/// A tensor: its storage's class, its shape, its elements row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    pub class: String,
    pub shape: Vec<i64>,
    pub bytes: Vec<u8>,
}

/// What a rank's file holds.
#[derive(Debug, Default, PartialEq)]
pub struct File {
    /// State dicts by name: every key with its tensor, `None` where it is none.
    pub chunks: BTreeMap<String, BTreeMap<String, Option<Tensor>>>,
    /// Everything else, as text.
    pub other: BTreeMap<String, String>,
    /// The saved arguments, as text.
    pub args: BTreeMap<String, String>,
}

/// The entries of a zip archive by name: from its directory, read with nothing of ours.
pub fn entries(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let number = |at: usize, width: usize| {
        bytes[at..at + width].iter().rev().fold(0_usize, |number, &byte| number << 8 | usize::from(byte))
    };
    let end = (0..bytes.len() - 21).rev().find(|&at| bytes[at..].starts_with(b"PK\x05\x06")).expect("an end record");
    let (count, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        assert_eq!(number(at + 10, 2), 0, "stored");
        let (crc, size, local) = (number(at + 16, 4), number(at + 24, 4), number(at + 42, 4));
        let (name, extra, comment) = (number(at + 28, 2), number(at + 30, 2), number(at + 32, 2));
        let text = String::from_utf8(bytes[at + 46..at + 46 + name].to_vec()).expect("a name");
        let data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let content = bytes[data..data + size].to_vec();
        assert_eq!(crc32fast::hash(&content) as usize, crc, "{text}");
        assert!(size == 0 || data % 64 == 0, "{text} is not aligned");
        entries.insert(text, content);
        at += 46 + name + extra + comment;
    }
    entries
}

/// Reads a file.
pub fn read(path: &Path) -> File {
    let entries = entries(&fs::read(path).expect("a file"));
    let (name, pickle) = entries.iter().find(|(name, _)| name.ends_with("/data.pkl")).expect("a pickle");
    let folder = name.trim_end_matches("data.pkl");
    let loaded = load(pickle).expect("a pickle");
    let data = &loaded.data;
    let mut file = File::default();
    for (key, value) in data.pairs(loaded.root).expect("a dict") {
        let key = data.str(key).expect("a text").to_owned();
        if key == "args" {
            let state = data.state(value).expect("attributes");
            let attributes = data.pairs(state).expect("a dict");
            file.args = attributes.map(|(name, value)| (told(data, name, 0), told(data, value, 0))).collect();
        } else if key.starts_with("model") {
            let items = data.pairs(value).expect("a dict");
            let items = items
                .map(|(key, value)| (data.str(key).expect("a text").to_owned(), tensor(data, value, &entries, folder)));
            file.chunks.insert(key, items.collect());
        } else {
            file.other.insert(key, told(data, value, 0));
        }
    }
    file
}

fn tensor(data: &Data<'_>, id: Id, entries: &BTreeMap<String, Vec<u8>>, folder: &str) -> Option<Tensor> {
    let ("torch._utils", "_rebuild_tensor_v2") = data.class(id)? else { return None };
    let &[storage, offset, size, stride, ..] = data.args(id)? else { return None };
    let Node::Persistent(storage) = data.node(storage) else { return None };
    let &[_, class, key, _, _] = data.elements(*storage)? else { return None };
    let numbers = |id| data.elements(id).expect("sizes").iter().map(|&n| data.int(n).expect("a size")).collect();
    let (shape, strides): (Vec<i64>, Vec<i64>) = (numbers(size), numbers(stride));
    let class = data.global(class)?.1.to_owned();
    let width = match class.as_str() {
        "BFloat16Storage" => 2,
        "FloatStorage" => 4,
        "ByteStorage" => 1,
        other => panic!("{other}"),
    };
    let content = &entries[&format!("{folder}data/{}", data.str(key).expect("a key"))];
    let mut bytes = Vec::new();
    let total: i64 = shape.iter().product();
    for index in 0..total {
        let (mut rest, mut at) = (index, data.int(offset).expect("an offset"));
        for (size, stride) in shape.iter().zip(&strides).rev() {
            at += rest % size * stride;
            rest /= size;
        }
        let at = usize::try_from(at).expect("a place") * width;
        bytes.extend_from_slice(&content[at..at + width]);
    }
    Some(Tensor { class, shape, bytes })
}

/// A value as text, whatever it is.
pub fn told(data: &Data<'_>, id: Id, depth: usize) -> String {
    if depth > 30 {
        return "...".to_owned();
    }
    let next = |id: Id| told(data, id, depth + 1);
    let list = |ids: &[Id]| ids.iter().map(|&id| next(id)).collect::<Vec<_>>().join(", ");
    match data.node(id) {
        Node::Tuple(_) => format!("({})", list(data.elements(id).expect("elements"))),
        Node::List(_) | Node::Set(_) => format!("[{}]", list(data.elements(id).expect("elements"))),
        Node::Dict(_) => {
            let pairs = data.pairs(id).expect("pairs");
            format!("{{{}}}", pairs.map(|(k, v)| format!("{}: {}", next(k), next(v))).collect::<Vec<_>>().join(", "))
        }
        Node::Global { module, name } => format!("{}.{}", next(*module), next(*name)),
        Node::Object { class, args, state, items } => {
            format!("{}{}[{}][{}]", next(*class), next(*args), next(*state), next(*items))
        }
        Node::Persistent(inner) => format!("storage {}", next(*inner)),
        Node::Str(text) => format!("{text:?}"),
        Node::Text(text) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}
