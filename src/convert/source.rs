//! A rank's file, opened for rewriting: its archive, its pickle as a graph, its tensors with their places.

use super::error::Result;
use super::view::View;
use crate::checkpoint::pickle::graph::{self, Graph, Ref};
use crate::checkpoint::store::{Blob, Section, Store};
use crate::checkpoint::torch_tensor::storage_dtype;
use crate::checkpoint::zip::{Archive, Entry};
use crate::checkpoint::{CheckpointError, Problem, torch_file};
use crate::tensor::Dtype;

/// An open file of torch.save.
pub struct Opened {
    /// The file.
    pub blob: Box<dyn Blob>,
    /// Its entries.
    pub archive: Archive,
    /// The folder in it that holds them, with `/`.
    pub folder: String,
    /// The pickle of the object.
    pub pickle: Vec<u8>,
}

/// A tensor with its storage.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The storage's name.
    pub key: String,
    /// The storage's class, location and size as they are in the pickle.
    pub class: Ref,
    /// Where torch would put it.
    pub location: Ref,
    /// Whether the storage's size counts bytes.
    pub untyped: bool,
    /// The function that rebuilds it, with what follows the strides.
    pub function: Ref,
    /// Arguments after the strides.
    pub rest: Vec<Ref>,
    /// A function around it, with its further arguments.
    pub wrapper: Option<(Ref, Vec<Ref>)>,
    /// First element in the storage, in elements.
    pub offset: u64,
    /// Sizes.
    pub shape: Vec<u64>,
    /// Steps, in elements.
    pub strides: Vec<u64>,
    /// Element type.
    pub dtype: Dtype,
    /// Bytes of an element.
    pub width: u64,
}

impl Opened {
    /// Opens a file.
    pub fn open(store: &dyn Store, name: &str) -> Result<Self> {
        let blob = store.open(name)?;
        if torch_file::is_legacy(&blob.head(64)?) {
            let help = "load it with torch and save it again: torch.save writes zip archives since 1.6".to_owned();
            let problem = Problem::Unsupported { name: "torch.save file from before torch 1.6".to_owned(), help };
            return Err(CheckpointError::new(blob.path(), problem).into());
        }
        let section = Section::whole(&*blob);
        let archive = Archive::read(&section)?;
        let (folder, name) = torch_file::folder(&archive, &section)?;
        let (pickle, _) = archive.content(&section, &name, torch_file::MAX_PICKLE)?;
        Ok(Self { archive, folder, pickle, blob })
    }

    /// The pickle as a graph.
    pub fn graph(&self) -> Result<Graph<'_>> {
        let error =
            |failure: crate::checkpoint::pickle::Failure| CheckpointError::new(self.blob.path(), failure.problem);
        Ok(graph::parse(&self.pickle).map_err(error)?)
    }

    /// A storage's entry, and where its bytes start.
    pub fn storage(&self, key: &str) -> Result<(Entry, u64)> {
        self.entry(&format!("{}data/{key}", self.folder))
    }

    /// An entry, and where its bytes start.
    pub fn entry(&self, name: &str) -> Result<(Entry, u64)> {
        Ok(self.archive.place(&Section::whole(&*self.blob), name)?)
    }

    /// Where a matrix's elements lie. A tensor of one axis is a matrix of one row.
    pub fn view(&self, stored: &Stored) -> Result<Option<View>> {
        let (rows, columns, row_stride, column_stride) = match (&*stored.shape, &*stored.strides) {
            ([rows, columns], [row, column]) => (*rows, *columns, *row, *column),
            ([columns], [column]) => (1, *columns, *columns, *column),
            _ => return Ok(None),
        };
        let (_, start) = self.storage(&stored.key)?;
        // Everything is below the storage's size: the checkpoint's reader saw to that.
        let width = stored.width;
        let start = start.saturating_add(stored.offset.saturating_mul(width));
        let (row_step, column_step) = (row_stride.saturating_mul(width), column_stride.saturating_mul(width));
        Ok(Some(View { start, rows, columns, row_step, column_step, width }))
    }
}

/// How deep tensors are wrapped in practice: not at all, or as a parameter.
const MAX_WRAPPERS: usize = 2;

/// The tensor that this value is, if it is a plain one.
pub fn stored(graph: &Graph<'_>, id: Ref) -> Option<Stored> {
    let (mut id, mut wrapper) = (id, None);
    for _ in 0..MAX_WRAPPERS {
        let (function, args) = graph.call(id)?;
        let (module, name) = graph.global(function)?;
        let args = graph.tuple(args)?;
        if module != "torch._utils" || !graph.value(id).changes.is_empty() {
            return None;
        }
        match (name, args) {
            ("_rebuild_parameter", [inner, rest @ ..]) if wrapper.is_none() => {
                wrapper = Some((function, rest.to_vec()));
                id = *inner;
            }
            ("_rebuild_tensor_v2" | "_rebuild_tensor_v3", [storage, offset, size, stride, rest @ ..]) => {
                return strided(graph, [*storage, *offset, *size, *stride], function, rest, wrapper);
            }
            _ => return None,
        }
    }
    None
}

fn strided(
    graph: &Graph<'_>,
    [storage, offset, size, stride]: [Ref; 4],
    function: Ref,
    rest: &[Ref],
    wrapper: Option<(Ref, Vec<Ref>)>,
) -> Option<Stored> {
    let count = |id: &Ref| graph.int(*id).and_then(|number| u64::try_from(number).ok());
    let counts = |id: Ref| graph.tuple(id)?.iter().map(count).collect::<Option<Vec<u64>>>();
    let &[kind, class, key, location, _size] = graph.tuple(graph.persistent(storage)?)? else { return None };
    if graph.text(kind) != Some("storage") {
        return None;
    }
    let of_class = storage_dtype(graph.global(class)?.1)?;
    // With v3 the dtype is the third argument after the strides.
    let named = rest.get(2).and_then(|&id| graph.global(id)).filter(|(module, _)| *module == "torch");
    let dtype = match (named, of_class) {
        (Some((_, name)), _) => Dtype::new(name),
        (None, Some(name)) => Dtype::new(name),
        (None, None) => return None,
    };
    // Conjugate and negative views: the seventh argument is a dict that says so.
    let is_plain = rest.iter().skip(2).all(|&id| graph.items(id).is_none_or(|items| items.is_empty()));
    let (shape, strides) = (counts(size)?, counts(stride)?);
    if !is_plain || shape.len() != strides.len() {
        return None;
    }
    Some(Stored {
        key: graph.text(key)?.to_owned(),
        class,
        location,
        untyped: of_class.is_none(),
        function,
        rest: rest.to_vec(),
        wrapper,
        offset: count(&offset)?,
        shape,
        strides,
        width: dtype.size()?,
        dtype,
    })
}
