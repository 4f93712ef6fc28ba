//! The plain data that a pickle builds.

/// A value of [`Data`], by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(super) u32);

/// One value. Strings and bytes point into the pickle.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'p> {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that needs more than 64 bits: two's complement, little-endian.
    Long(&'p [u8]),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(&'p str),
    /// Text that had escapes or was not UTF-8.
    Text(Box<str>),
    /// Bytes.
    Bytes(&'p [u8]),
    /// A tuple.
    Tuple(Run),
    /// A list.
    List(Run),
    /// A set or frozenset.
    Set(Run),
    /// A dict: keys and values in turn.
    Dict(Run),
    /// A name that Python would import.
    Global {
        /// The module's name.
        module: Id,
        /// The dotted name in it.
        name: Id,
    },
    /// What Python would make by calling something.
    Object {
        /// What would be called, usually a [`Node::Global`].
        class: Id,
        /// The arguments, usually a tuple.
        args: Id,
        /// What it would be updated with; `None` is [`Id::NONE`].
        state: Id,
        /// The list or dict of items that were added to it; [`Id::NONE`] without any.
        items: Id,
    },
    /// Something that lives outside of the pickle: for torch, a storage.
    Persistent(Id),
}

/// A stretch of the pool of elements that may grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    start: u32,
    len: u32,
    capacity: u32,
}

impl Id {
    /// `None`, which is always there.
    pub const NONE: Self = Self(0);
    pub(super) const FALSE: Self = Self(1);
    pub(super) const TRUE: Self = Self(2);
    pub(super) const EMPTY_TUPLE: Self = Self(3);
    const FIRST_INT: u32 = 4;
    const INTS: u32 = 257;
}

/// All values of one pickle.
#[derive(Debug)]
pub struct Data<'p> {
    nodes: Vec<Node<'p>>,
    pool: Vec<Id>,
    length: usize,
}

/// More values than any checkpoint's header has; they would take 1 GB.
const MAX_NODES: usize = 40 << 20;

impl<'p> Data<'p> {
    /// Only the values that are always there; for a pickle of at most that many bytes.
    pub(super) fn new(length: usize) -> Self {
        let mut nodes = vec![Node::None, Node::Bool(false), Node::Bool(true), Node::Tuple(Run::default())];
        nodes.extend((0..i64::from(Id::INTS)).map(Node::Int));
        Self { nodes, pool: Vec::new(), length }
    }

    /// The value of that number.
    pub fn node(&self, id: Id) -> &Node<'p> {
        // Ids are only made here, by `add`.
        &self.nodes[id.0 as usize]
    }

    /// The text, if it is text.
    pub fn str(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Str(text) => Some(text),
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn int(&self, id: Id) -> Option<i64> {
        match self.node(id) {
            Node::Int(number) => Some(*number),
            Node::Bool(truth) => Some((*truth).into()),
            _ => None,
        }
    }

    /// The elements of a tuple, list or set, or of an object that is one.
    pub fn elements(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Tuple(run) | Node::List(run) | Node::Set(run) => Some(self.run(*run)),
            Node::Object { items, .. } => match self.node(*items) {
                Node::List(run) => Some(self.run(*run)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Keys and values of a dict, or of an object that is one.
    pub fn pairs(&self, id: Id) -> Option<impl DoubleEndedIterator<Item = (Id, Id)> + ExactSizeIterator> {
        let run = match self.node(id) {
            Node::Dict(run) => run,
            Node::Object { items, .. } => match self.node(*items) {
                Node::Dict(run) => run,
                _ => return None,
            },
            _ => return None,
        };
        Some(self.run(*run).chunks_exact(2).map(|pair| (pair[0], pair[1])))
    }

    /// The value of a text key; the last one when it was set twice, as in Python.
    pub fn get(&self, id: Id, key: &str) -> Option<Id> {
        self.pairs(id)?.rev().find(|(k, _)| self.str(*k) == Some(key)).map(|(_, value)| value)
    }

    /// Module and name, if it is a global.
    pub fn global(&self, id: Id) -> Option<(&str, &str)> {
        match self.node(id) {
            Node::Global { module, name } => Some((self.str(*module)?, self.str(*name)?)),
            _ => None,
        }
    }

    /// Module and name of an object's class.
    pub fn class(&self, id: Id) -> Option<(&str, &str)> {
        match self.node(id) {
            Node::Object { class, .. } => self.global(*class),
            _ => None,
        }
    }

    /// The arguments that an object was made with.
    pub fn args(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Object { args, .. } => self.elements(*args),
            _ => None,
        }
    }

    /// What an object was updated with.
    pub fn state(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Object { state, .. } if *state != Id::NONE => Some(*state),
            _ => None,
        }
    }

    /// An attribute of an object, from its state.
    pub fn attribute(&self, id: Id, name: &str) -> Option<Id> {
        let state = self.state(id)?;
        // A class with slots has a tuple of two dicts.
        self.get(state, name).or_else(|| self.elements(state)?.iter().find_map(|&part| self.get(part, name)))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many bytes there were to read, at most.
    pub fn pickle_length(&self) -> usize {
        self.length
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn run(&self, run: Run) -> &[Id] {
        &self.pool[run.start as usize..(run.start + run.len) as usize]
    }

    /// Adds a value; `None` when there are too many.
    pub(super) fn add(&mut self, node: Node<'p>) -> Option<Id> {
        if self.nodes.len() >= MAX_NODES {
            return None;
        }
        let id = Id(u32::try_from(self.nodes.len()).ok()?);
        self.nodes.push(node);
        Some(id)
    }

    /// The value of a whole number; small ones are there already.
    pub(super) fn add_int(&mut self, number: i64) -> Option<Id> {
        match u32::try_from(number) {
            Ok(small) if small < Id::INTS => Some(Id(Id::FIRST_INT + small)),
            _ => self.add(Node::Int(number)),
        }
    }

    pub(super) fn node_mut(&mut self, id: Id) -> &mut Node<'p> {
        &mut self.nodes[id.0 as usize]
    }

    /// The run of these elements; `None` when there are too many.
    pub(super) fn add_run(&mut self, elements: &[Id]) -> Option<Run> {
        let mut run = Run::default();
        self.extend(&mut run, elements)?;
        Some(run)
    }

    /// Adds elements to a run. A run that is not the last one in the pool moves to the end, with room to grow, so
    /// that lists that grow in turns cost no more than any growing vector.
    pub(super) fn extend(&mut self, run: &mut Run, elements: &[Id]) -> Option<()> {
        let len = run.len as usize + elements.len();
        let (start, end) = (run.start as usize, (run.start + run.len) as usize);
        if len <= run.capacity as usize {
            self.pool[end..start + len].copy_from_slice(elements);
        } else if start + run.capacity as usize == self.pool.len() && run.capacity > 0 {
            self.room(elements.len())?;
            self.pool.truncate(end);
            self.pool.extend_from_slice(elements);
            run.capacity = u32::try_from(len).ok()?;
        } else {
            let capacity = if run.len == 0 { len } else { len.checked_mul(2)? };
            self.room(capacity)?;
            run.start = u32::try_from(self.pool.len()).ok()?;
            self.pool.extend_from_within(start..end);
            self.pool.extend_from_slice(elements);
            self.pool.resize(run.start as usize + capacity, Id::NONE);
            run.capacity = u32::try_from(capacity).ok()?;
        }
        run.len = u32::try_from(len).ok()?;
        Some(())
    }

    /// Every element costs the pickle a byte, and growing a run at most doubles it twice: more than that would come
    /// from copying one list again and again.
    fn room(&self, more: usize) -> Option<()> {
        let limit = self.length.saturating_mul(8).saturating_add(1024);
        self.pool.len().checked_add(more).filter(|&total| total <= limit && u32::try_from(total).is_ok()).map(|_| ())
    }
}
