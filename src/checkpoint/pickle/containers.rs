//! Steps of the machine that make tuples, lists, dicts and objects.

use super::data::{Id, Node, Run};
use super::machine::{Machine, Step};

impl<'p> Machine<'p> {
    pub(super) fn tuple(&mut self, length: usize) -> Step {
        let floor = self.marks.last().copied().unwrap_or(0);
        let from = self.stack.len().checked_sub(length).filter(|&from| from >= floor);
        let from = from.ok_or_else(|| self.bad("elements of a tuple on the stack", "fewer"))?;
        if length == 0 {
            return self.push(Id::EMPTY_TUPLE);
        }
        let run = self.data.add_run(&self.stack[from..]).ok_or_else(|| self.too_many())?;
        self.stack.truncate(from);
        self.push_node(Node::Tuple(run))
    }

    pub(super) fn gather(&mut self, node: fn(Run) -> Node<'p>) -> Step {
        let from = self.mark()?;
        let run = self.data.add_run(&self.stack[from..]).ok_or_else(|| self.too_many())?;
        self.stack.truncate(from);
        self.push_node(node(run))
    }

    /// Adds what stands above `from` to the list or set below it.
    pub(super) fn append(&mut self, from: usize) -> Step {
        let target = from.checked_sub(1).and_then(|i| self.stack.get(i).copied());
        let target = target.ok_or_else(|| self.bad("a list on the stack", "an empty stack"))?;
        let target = self.container(target, Node::List(Run::default()))?;
        let mut run = match self.data.node(target) {
            Node::List(run) | Node::Set(run) => *run,
            _ => return Err(self.bad("a list to append to", "another value")),
        };
        self.data.extend(&mut run, &self.stack[from..]).ok_or_else(|| self.too_many())?;
        if let Node::List(own) | Node::Set(own) = self.data.node_mut(target) {
            *own = run;
        }
        self.stack.truncate(from);
        Ok(())
    }

    /// Adds the keys and values that stand above `from` to the dict below them.
    pub(super) fn set_items(&mut self, from: usize) -> Step {
        let target = from.checked_sub(1).and_then(|i| self.stack.get(i).copied());
        let target = target.filter(|_| (self.stack.len() - from).is_multiple_of(2));
        let target = target.ok_or_else(|| self.bad("a dict, keys and values on the stack", "fewer"))?;
        let target = self.container(target, Node::Dict(Run::default()))?;
        let Node::Dict(run) = self.data.node(target) else {
            return Err(self.bad("a dict to add to", "another value"));
        };
        let mut run = *run;
        self.data.extend(&mut run, &self.stack[from..]).ok_or_else(|| self.too_many())?;
        if let Node::Dict(own) = self.data.node_mut(target) {
            *own = run;
        }
        self.stack.truncate(from);
        Ok(())
    }

    /// The list or dict that takes an object's items, made when the first one comes; other values are their own.
    pub(super) fn container(&mut self, target: Id, empty: Node<'p>) -> Step<Id> {
        let Node::Object { items, .. } = *self.data.node(target) else { return Ok(target) };
        if items != Id::NONE {
            return Ok(items);
        }
        let made = self.add(empty)?;
        if let Node::Object { items, .. } = self.data.node_mut(target) {
            *items = made;
        }
        Ok(made)
    }

    pub(super) fn global(&mut self, module: Id, name: Id) -> Step {
        let id = self.add(Node::Global { module, name })?;
        self.globals.push(id);
        self.push(id)
    }

    pub(super) fn object(&mut self, class: Id, args: Id) -> Step {
        let items = self.initial_items(class, args)?;
        self.push_node(Node::Object { class, args, state: Id::NONE, items })
    }

    /// `OrderedDict([[key, value], ...])`, as Python 2 pickled it: the items are in the argument.
    pub(super) fn initial_items(&mut self, class: Id, args: Id) -> Step<Id> {
        if self.data.global(class) != Some(("collections", "OrderedDict")) {
            return Ok(Id::NONE);
        }
        let Some(&[list]) = self.data.elements(args) else {
            return self.add(Node::Dict(Run::default()));
        };
        let pairs = self.data.elements(list).unwrap_or(&[]).iter().filter_map(|&pair| match self.data.elements(pair) {
            Some(&[key, value]) => Some([key, value]),
            _ => None,
        });
        let flat: Vec<Id> = pairs.flatten().collect();
        let run = self.data.add_run(&flat).ok_or_else(|| self.too_many())?;
        self.add(Node::Dict(run))
    }

    pub(super) fn build(&mut self) -> Step {
        let new = self.pop()?;
        let target = self.top()?;
        match self.data.node_mut(target) {
            Node::Object { state, .. } => *state = new,
            // Anything else that has a `__setstate__` is not ours to run; the value stays as it is.
            _ => return Err(self.bad("an object to update", "another value")),
        }
        Ok(())
    }

    /// `INST`: class by name, arguments from the mark.
    pub(super) fn instance(&mut self) -> Step {
        let (module, name) = (self.reader.word()?, self.reader.word()?);
        let (module, name) = (self.add(Node::Str(module))?, self.add(Node::Str(name))?);
        let from = self.mark()?;
        self.tuple(self.stack.len() - from)?;
        let args = self.pop()?;
        self.global(module, name)?;
        let class = self.pop()?;
        self.object(class, args)
    }

    /// `OBJ`: class and arguments from the mark.
    pub(super) fn old_object(&mut self) -> Step {
        let from = self.mark()?;
        let class = self.stack.get(from).copied().ok_or_else(|| self.bad("a class on the stack", "nothing"))?;
        self.tuple(self.stack.len() - from - 1)?;
        let args = self.pop()?;
        self.stack.truncate(from);
        self.object(class, args)
    }
}
