//! From a rank's file to the plan of its counterpart: the pickle with what changes in it, and where each storage's bytes
//! come from.

use std::collections::{BTreeMap, HashMap};

use super::error::{ConvertError, Result};
use super::plan::{Entry, From, Target};
use super::source::{Opened, Stored, stored};
use super::view::View;
use crate::checkpoint::pickle::graph::{Graph, Make, Ref};
use crate::checkpoint::zip_layout::Layout;
use crate::rules::value::Value;

/// A file before it is written.
#[derive(Debug)]
pub struct FilePlan {
    /// Where everything will lie.
    pub layout: Layout,
    /// What each entry consists of, in the layout's order.
    pub contents: Vec<Content>,
}

/// The bytes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These.
    Bytes(Vec<u8>),
    /// Bytes of the source as they are.
    Copy {
        /// Where they start.
        start: u64,
        /// How many.
        size: u64,
    },
    /// Matrices of the source one after the other, each row by row.
    Rows(Vec<View>),
}

impl Content {
    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Copy { size, .. } => *size,
            Self::Rows(views) => views.iter().map(View::bytes).sum(),
        }
    }
}

/// A rank's file while it is rewritten.
pub struct Rewrite<'f> {
    /// The source.
    pub opened: &'f Opened,
    /// Its pickle.
    pub graph: Graph<'f>,
    /// New storages, by the value that stands for them.
    made: HashMap<Ref, Content>,
}

/// A state dict in a file: the value, and its keys and values.
pub type Dict = (Ref, Vec<(Ref, Ref)>);

impl<'f> Rewrite<'f> {
    /// Starts with everything as it is.
    pub fn new(opened: &'f Opened) -> Result<Self> {
        Ok(Self { opened, graph: opened.graph()?, made: HashMap::new() })
    }

    /// The top-level entries with a text as key.
    pub fn top(&self) -> Vec<(String, Ref)> {
        let items = self.graph.items(self.graph.root).unwrap_or_default();
        items.into_iter().filter_map(|(key, value)| Some((self.graph.text(key)?.to_owned(), value))).collect()
    }

    /// Leaves top-level entries out.
    pub fn remove_top(&mut self, names: &[String]) {
        let mut items = self.graph.items(self.graph.root).unwrap_or_default();
        items.retain(|(key, _)| !names.iter().any(|name| self.graph.text(*key) == Some(name)));
        let root = self.graph.root;
        self.graph.set_items(root, &items);
    }

    /// The entries of a state dict, and what each of them is. `is_empty` judges the bytes of a module's state.
    pub fn entries(&self, dict: &Dict, suffix: &str, is_empty: &dyn Fn(&State) -> bool) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for (key, value) in &dict.1 {
            let key = self.graph.text(*key).map(str::to_owned);
            let key = key.ok_or_else(|| self.wrong("a state dict with a key that is no text"))?;
            let plain = stored(&self.graph, *value);
            let is_empty_state = key.ends_with(suffix) && is_empty(&self.state(*value, plain.as_ref())?);
            entries.push(Entry { key, shape: plain.map(|plain| plain.shape), is_empty_state });
        }
        Ok(entries)
    }

    fn state(&self, id: Ref, plain: Option<&Stored>) -> Result<State> {
        if self.graph.is_none(id) {
            return Ok(State::Nothing);
        }
        let Some(plain) = plain else { return Ok(file_of(&self.graph, id).map_or(State::Other, State::File)) };
        let Some(view) = self.opened.view(plain)?.filter(|view| view.bytes() <= MAX_STATE && view.is_dense()) else {
            return Ok(State::Other);
        };
        Ok(State::Bytes(self.opened.blob.read(view.start, view.bytes() as usize)?))
    }

    /// Puts the planned entries in the place of a state dict's own.
    pub fn set(&mut self, dict: &Dict, targets: &[Target]) -> Result<()> {
        let mut items = Vec::with_capacity(targets.len());
        for target in targets {
            let value = match &target.from {
                From::Same(index) => dict.1[*index].1,
                From::Nothing => self.graph.add_constant(None),
                From::Split { entry, block } => {
                    let source = self.matrix(dict, *entry, &target.key)?;
                    let view = self.block(&source, *block, &target.shape)?;
                    self.tensor(&source, &target.shape, Content::Rows(vec![view]))?
                }
                From::Join(indices) => {
                    let first = self.matrix(dict, indices[0], &target.key)?;
                    let mut views = Vec::with_capacity(indices.len());
                    for &index in indices {
                        let source = self.matrix(dict, index, &target.key)?;
                        if source.dtype != first.dtype {
                            return Err(self.wrong(&format!("`{}` with experts of several dtypes", target.key)));
                        }
                        let view = self.opened.view(&source)?;
                        views.push(view.ok_or_else(|| self.wrong("a matrix of another form"))?.transposed());
                    }
                    self.tensor(&first, &target.shape, Content::Rows(views))?
                }
            };
            let key = match &target.from {
                From::Same(index) if self.graph.text(dict.1[*index].0) == Some(&target.key) => dict.1[*index].0,
                _ => self.graph.add_text(&target.key),
            };
            items.push((key, value));
        }
        self.graph.set_items(dict.0, &items);
        Ok(())
    }

    fn matrix(&self, dict: &Dict, index: usize, key: &str) -> Result<Stored> {
        stored(&self.graph, dict.1[index].1).ok_or_else(|| self.wrong(&format!("a plain tensor for `{key}`")))
    }

    /// One of several matrices that lie one after the other, each transposed; `shape` is the matrix itself.
    fn block(&self, source: &Stored, block: u64, shape: &[u64]) -> Result<View> {
        let whole = self.opened.view(source)?.filter(View::is_dense);
        // The framework views the tensor anew, which torch refuses for one with gaps.
        let whole = whole.ok_or_else(|| self.wrong("the experts' tensor in one piece"))?;
        let &[rows, columns] = shape else { return Err(self.wrong("a matrix")) };
        let start = whole.start + block * rows * columns * whole.width;
        Ok(View::dense(start, columns, rows, whole.width).transposed())
    }

    /// A new tensor with the source's dtype and location.
    fn tensor(&mut self, like: &Stored, shape: &[u64], content: Content) -> Result<Ref> {
        let elements = shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size));
        let elements = elements.ok_or_else(|| self.wrong("a tensor of less than 2^64 elements"))?;
        if elements.checked_mul(like.width) != Some(content.size()) {
            return Err(self.wrong("experts that fill their tensor"));
        }
        if let Content::Rows(views) = &content
            && !views.iter().all(|view| view.has_dense_rows() || view.transposed().has_dense_rows())
        {
            return Err(self.wrong("a tensor whose elements lie side by side in rows or in columns"));
        }
        let graph = &mut self.graph;
        let parts = [
            graph.add_text("storage"),
            like.class,
            // Set when all storages are known.
            graph.add_constant(None),
            like.location,
            graph.add_int(if like.untyped { content.size() } else { elements }),
        ];
        let tuple = graph.add_tuple(parts.to_vec());
        let storage = graph.add_persistent(tuple);
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        let sizes = shape.iter().map(|&size| graph.add_int(size)).collect();
        let sizes = graph.add_tuple(sizes);
        let strides = strides.into_iter().map(|stride| graph.add_int(stride)).collect();
        let strides = graph.add_tuple(strides);
        let mut args = vec![storage, graph.add_int(0), sizes, strides];
        args.extend(&like.rest);
        let args = graph.add_tuple(args);
        let mut tensor = graph.add_call(like.function, args);
        if let Some((function, rest)) = &like.wrapper {
            let mut args = vec![tensor];
            args.extend(rest);
            let args = graph.add_tuple(args);
            tensor = graph.add_call(*function, args);
        }
        self.made.insert(storage, content);
        Ok(tensor)
    }

    /// Sets attributes of a saved namespace; those that it does not have stay away.
    pub fn set_attributes(&mut self, namespace: Ref, values: &BTreeMap<String, Value>) -> Result<()> {
        let state = self.graph.state(namespace).unwrap_or(namespace);
        let Some(mut items) = self.graph.items(state) else {
            return Err(self.wrong("saved arguments as a namespace"));
        };
        for (key, value) in &mut items {
            let Some(new) = self.graph.text(*key).and_then(|key| values.get(key)).cloned() else { continue };
            *value = match new {
                Value::None => self.graph.add_constant(None),
                Value::Bool(truth) => self.graph.add_constant(Some(truth)),
                Value::Str(text) => self.graph.add_text(&text),
                Value::Int(number) if number >= 0 => self.graph.add_int(number.unsigned_abs()),
                other => return Err(self.wrong(&format!("a saved argument of a simple kind, not {other}"))),
            };
        }
        self.graph.set_items(state, &items);
        Ok(())
    }

    /// The file that results.
    pub fn finish(mut self) -> Result<FilePlan> {
        let mut numbers: HashMap<String, u64> = HashMap::new();
        let mut storages = Vec::new();
        for id in self.graph.persistents() {
            let tuple = self.graph.persistent(id).and_then(|tuple| self.graph.tuple(tuple)).map(<[Ref]>::to_vec);
            let mut tuple = tuple.filter(|tuple| tuple.len() >= 5).ok_or_else(|| self.wrong("a storage reference"))?;
            let number = match self.made.remove(&id) {
                Some(content) => {
                    storages.push(content);
                    storages.len() as u64 - 1
                }
                None => {
                    let key = self.graph.text(tuple[2]).map(str::to_owned);
                    let key = key.ok_or_else(|| self.wrong("a storage with a name"))?;
                    match numbers.get(&key) {
                        Some(number) => *number,
                        None => {
                            let (entry, start) = self.opened.storage(&key)?;
                            storages.push(Content::Copy { start, size: entry.size });
                            let number = storages.len() as u64 - 1;
                            numbers.insert(key, number);
                            number
                        }
                    }
                }
            };
            tuple[2] = self.graph.add_text(&number.to_string());
            let tuple = self.graph.add_tuple(tuple);
            if let Make::Apply { parts, .. } = &mut self.graph.value_mut(id).make {
                parts[0] = tuple;
            }
        }
        let pickle =
            self.graph.write().map_err(|error| self.wrong(&format!("a pickle that can be written, not {error}")))?;
        self.lay_out(pickle, storages)
    }

    /// Entries in torch's order: the pickle, what describes the archive, the storages by the text of their numbers.
    fn lay_out(&self, pickle: Vec<u8>, storages: Vec<Content>) -> Result<FilePlan> {
        let folder = &self.opened.folder;
        let mut entries = vec![(format!("{folder}data.pkl"), Content::Bytes(pickle))];
        let mut described: Vec<&str> =
            self.opened.archive.names().filter(|name| is_description(folder, name)).collect();
        described.sort_unstable();
        for name in described {
            let (entry, start) = self.opened.entry(name)?;
            entries.push((name.to_owned(), Content::Copy { start, size: entry.size }));
        }
        let storages = storages.into_iter().enumerate();
        let mut storages: Vec<_> =
            storages.map(|(number, content)| (format!("{folder}data/{number}"), content)).collect();
        storages.sort_by(|a, b| a.0.cmp(&b.0));
        entries.extend(storages);
        let layout = Layout::new(entries.iter().map(|(name, content)| (name.clone(), content.size())));
        let layout = layout.ok_or_else(|| self.wrong("entries that fit a zip archive"))?;
        Ok(FilePlan { layout, contents: entries.into_iter().map(|(_, content)| content).collect() })
    }

    fn wrong(&self, expected: &str) -> ConvertError {
        ConvertError::Wrong { path: self.opened.blob.path().to_path_buf(), message: format!("expected {expected}") }
    }
}

/// Entries beside the pickle and the storages, such as `version` and `byteorder`; what is derived from the content
/// (`.data/serialization_id`) would be wrong.
fn is_description(folder: &str, name: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|name| !name.contains('/') && name != "data.pkl")
}

/// An empty state is a few bytes.
const MAX_STATE: u64 = 64;

/// The content of a module's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// None.
    Nothing,
    /// A tensor of few bytes.
    Bytes(Vec<u8>),
    /// A file in memory.
    File(Vec<u8>),
    /// Anything else.
    Other,
}

/// The content of a file in memory: `_io.BytesIO(bytes)`, where protocol 2 has bytes as `_codecs.encode(text, 'latin1')`.
fn file_of(graph: &Graph<'_>, id: Ref) -> Option<Vec<u8>> {
    let (class, args) = graph.call(id)?;
    let (Some((_, "BytesIO")), Some(&[content, ..])) = (graph.global(class), graph.tuple(args)) else { return None };
    if let Some(bytes) = graph.bytes(content) {
        return Some(bytes.to_vec());
    }
    let (function, args) = graph.call(content)?;
    let (Some(("_codecs", "encode")), Some(&[text, _])) = (graph.global(function), graph.tuple(args)) else {
        return None;
    };
    graph.text(text)?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}
