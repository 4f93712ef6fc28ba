//! Writing a graph as a pickle. Values that are used at several places are remembered, as Python does it.

use super::{BINPERSID, Change, Graph, Make, Ref};

/// Why a graph cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A tuple or an object whose parts need it before it is there.
    #[error("a value that is a part of itself")]
    Cycle,
}

/// As many items as CPython's pickler sets with one opcode.
const BATCH: usize = 1000;
/// Shorter opcodes are cheaper to repeat than to recall.
const CHEAP: usize = 5;

enum Task {
    Visit(Ref),
    /// The value stands on the stack.
    Made(Ref),
    Op(u8),
    /// The end of everything that a change needs.
    Then(Ref, usize),
}

struct Writer<'g, 'p> {
    graph: &'g Graph<'p>,
    uses: Vec<u32>,
    memo: Vec<Option<u32>>,
    open: Vec<bool>,
    next: u32,
    tasks: Vec<Task>,
    out: Vec<u8>,
}

impl Graph<'_> {
    /// The pickle, in protocol 2 or the one that it was read in if that is newer.
    ///
    /// # Errors
    /// When an immutable value is a part of itself: no state dict has one.
    pub fn write(&self) -> Result<Vec<u8>, WriteError> {
        let mut writer = Writer {
            graph: self,
            uses: self.uses(),
            memo: vec![None; self.values.len()],
            open: vec![false; self.values.len()],
            next: 0,
            tasks: vec![Task::Visit(self.root)],
            out: vec![0x80, self.protocol.max(2)],
        };
        writer.run()?;
        writer.out.push(b'.');
        Ok(writer.out)
    }

    /// Everything that stands for a thing outside, in the order in which it is written.
    pub fn persistents(&self) -> Vec<Ref> {
        let mut found = Vec::new();
        self.walk(|id, make| {
            if matches!(make, Make::Apply { opcode: BINPERSID, .. }) {
                found.push(id);
            }
        });
        found
    }

    /// Every value once, those first that are written first.
    fn walk(&self, mut visit: impl FnMut(Ref, &Make<'_>)) {
        let mut seen = vec![false; self.values.len()];
        let mut stack = vec![self.root];
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            visit(id, &self.value(id).make);
            stack.extend(self.below(id).into_iter().rev());
        }
    }

    /// What a value is made of, in the order in which it is written.
    fn below(&self, id: Ref) -> Vec<Ref> {
        let value = self.value(id);
        let mut below = match &value.make {
            Make::Tuple(parts) | Make::FrozenSet(parts) | Make::Apply { parts, .. } => parts.clone(),
            Make::Atom(_) | Make::Empty(_) => Vec::new(),
        };
        for change in &value.changes {
            match change {
                Change::Append(parts) | Change::Items(parts) | Change::Add(parts) => below.extend(parts),
                Change::Build(state) => below.push(*state),
            }
        }
        below
    }

    fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0_u32; self.values.len()];
        self.walk(|id, _| {
            for part in self.below(id) {
                let count = &mut uses[part.0 as usize];
                *count = count.saturating_add(1);
            }
        });
        uses[self.root.0 as usize] += 1;
        uses
    }
}

impl Writer<'_, '_> {
    fn run(&mut self) -> Result<(), WriteError> {
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Visit(id) => self.visit(id)?,
                Task::Op(opcode) => self.out.push(opcode),
                Task::Made(id) => self.made(id),
                Task::Then(id, index) => self.change(id, index),
            }
        }
        Ok(())
    }

    fn visit(&mut self, id: Ref) -> Result<(), WriteError> {
        if let Some(number) = self.memo[id.0 as usize] {
            self.numbered(b'h', b'j', number);
            return Ok(());
        }
        if std::mem::replace(&mut self.open[id.0 as usize], true) {
            return Err(WriteError::Cycle);
        }
        let graph = self.graph;
        self.tasks.push(Task::Made(id));
        match &graph.value(id).make {
            Make::Atom(bytes) => self.out.extend_from_slice(bytes),
            Make::Empty(opcode) => self.out.push(*opcode),
            Make::Tuple(parts) => {
                let opcode = match parts.len() {
                    0 => b')',
                    few @ 1..=3 => 0x84 + few as u8,
                    _ => {
                        self.out.push(b'(');
                        b't'
                    }
                };
                self.parts(parts, opcode);
            }
            Make::FrozenSet(parts) => {
                self.out.push(b'(');
                self.parts(parts, 0x91);
            }
            Make::Apply { opcode, parts } => self.parts(parts, *opcode),
        }
        Ok(())
    }

    fn parts(&mut self, parts: &[Ref], opcode: u8) {
        self.tasks.push(Task::Op(opcode));
        self.tasks.extend(parts.iter().rev().map(|&part| Task::Visit(part)));
    }

    /// Remembers the value if it is needed again, then goes on to what is done to it.
    fn made(&mut self, id: Ref) {
        let at = id.0 as usize;
        self.open[at] = false;
        let value = self.graph.value(id);
        let cheap = matches!(&value.make, Make::Atom(bytes) if bytes.len() <= CHEAP);
        // A value that is changed must stay the same one wherever it is used.
        if self.uses[at] > 1 && (!cheap || !value.changes.is_empty()) {
            let number = self.next;
            self.next += 1;
            self.memo[at] = Some(number);
            self.numbered(b'q', b'r', number);
        }
        if !value.changes.is_empty() {
            self.tasks.push(Task::Then(id, 0));
        }
    }

    fn change(&mut self, id: Ref, index: usize) {
        let changes = &self.graph.value(id).changes;
        let Some(change) = changes.get(index) else { return };
        self.tasks.push(Task::Then(id, index + 1));
        let (elements, opcode) = match change {
            Change::Append(elements) => (elements, b'e'),
            Change::Items(elements) => (elements, b'u'),
            Change::Add(elements) => (elements, 0x90),
            Change::Build(state) => {
                self.tasks.push(Task::Op(b'b'));
                self.tasks.push(Task::Visit(*state));
                return;
            }
        };
        for batch in elements.chunks(BATCH).rev() {
            self.parts(batch, opcode);
            self.tasks.push(Task::Op(b'('));
        }
    }

    fn numbered(&mut self, short: u8, long: u8, number: u32) {
        match u8::try_from(number) {
            Ok(number) => self.out.extend([short, number]),
            Err(_) => {
                self.out.push(long);
                self.out.extend(number.to_le_bytes());
            }
        }
    }
}
