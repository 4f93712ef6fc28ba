//! Files that a file builds on: each is merged into what it is for, later ones over earlier ones.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Reader;
use super::form::Presets;
use crate::launch::Word;
use crate::launch::yaml::{self, Node, Value};
use crate::rules::value::Unknown;
use crate::text::Source;

/// How many files may build on each other.
const DEEPEST: usize = 12;
/// The most files that are read.
const MOST: usize = 60;

impl Reader<'_> {
    /// A section with the files that it builds on merged into it. A file that cannot be read becomes an unknown word.
    pub(super) fn with_presets(&mut self, section: &Arc<Node>, words: &mut Vec<Word>) -> Arc<Node> {
        let Some(presets) = &self.form.presets else { return Arc::clone(section) };
        let root = self.root_of(presets);
        let middle = section.get(&presets.folder).and_then(|node| node.str()).unwrap_or_default().to_owned();
        let mut merged: Option<Arc<Node>> = None;
        for file in &presets.files {
            let Some(name) = section.get(&file.key).cloned() else { continue };
            let named = self.resolved_name(&name);
            let preset = named.and_then(|named| {
                let named = if is_yaml(&named) { named } else { format!("{named}.yaml") };
                let path = Path::new(&file.folder).join(&middle).join(named);
                let path = root.as_ref().filter(|_| stays_below(&path)).map(|root| root.join(path))?;
                self.preset(&path, presets, DEEPEST)
            });
            match preset {
                Some(preset) => merged = Some(merged.map_or(preset.clone(), |base| deep_merge(&base, &preset))),
                None => {
                    let unknown = Arc::new(Unknown {
                        name: name.text.clone(),
                        reason: format!("the file `{}` that this one builds on is not on this machine", name.text),
                        places: vec![name.span.clone()],
                    });
                    self.note(&unknown);
                    words.push(Word::new(Err(unknown), vec![name.span.clone()]));
                }
            }
        }
        let own = section.get(&presets.overrides).cloned();
        match (merged, own) {
            (Some(base), Some(own)) => deep_merge(&base, &own),
            (Some(base), None) => base,
            (None, Some(own)) => own,
            (None, None) => Arc::new(Node::new(Value::Map(Vec::new()), String::new(), section.span.clone())),
        }
    }

    fn resolved_name(&self, node: &Node) -> Option<String> {
        match super::reference::with_defaults(node.str()?, &|name| self.variable(name)) {
            super::reference::Found::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The folder of presets, in one of the folders above the file.
    fn root_of(&self, presets: &Presets) -> Option<PathBuf> {
        let directory = self.options.directory.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
        let file = directory.join(self.path);
        file.ancestors()
            .skip(1)
            .map(|above| above.join(&presets.root))
            .find(|root| self.options.files.is_directory(root) == Some(true))
    }

    /// A file with those that it builds on.
    fn preset(&mut self, path: &Path, presets: &Presets, depth: usize) -> Option<Arc<Node>> {
        if depth == 0 || self.launch.sources.len() > MOST {
            return None;
        }
        let text = self.options.files.read(path, self.options.limits.text as u64).ok()?;
        let source = Source::file(path, text);
        let node = yaml::load(&source).ok()??;
        self.launch.sources.push(source);
        let Some((_, extends)) = node.entry(&presets.extends) else { return Some(node) };
        let names: Vec<String> = match extends.str() {
            Some(one) => vec![one.to_owned()],
            None => extends.items().iter().filter_map(|item| item.str().map(str::to_owned)).collect(),
        };
        let mut merged: Option<Arc<Node>> = None;
        for name in names {
            let below = self.preset(&path.parent()?.join(name), presets, depth - 1)?;
            merged = Some(merged.map_or(below.clone(), |base| deep_merge(&base, &below)));
        }
        let own = node.entries().iter().filter(|(key, _)| key.text != presets.extends).cloned().collect();
        let own = Arc::new(Node::new(Value::Map(own), String::new(), node.span.clone()));
        Some(merged.map_or(own.clone(), |base| deep_merge(&base, &own)))
    }
}

/// A mapping over another: mappings in it are merged, everything else is taken.
fn deep_merge(base: &Arc<Node>, over: &Arc<Node>) -> Arc<Node> {
    let (Value::Map(old), Value::Map(new)) = (&base.value, &over.value) else { return Arc::clone(over) };
    let mut entries = old.clone();
    for (key, value) in new {
        match entries.iter_mut().find(|(known, _)| known.text == key.text && known.value == key.value) {
            Some(entry) => *entry = (Arc::clone(key), deep_merge(&entry.1, value)),
            None => entries.push((Arc::clone(key), Arc::clone(value))),
        }
    }
    Arc::new(Node::new(Value::Map(entries), String::new(), over.span.clone()))
}

fn is_yaml(name: &str) -> bool {
    super::is_yaml(Path::new(name))
}

/// Whether a path leads nowhere above where it starts.
fn stays_below(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
