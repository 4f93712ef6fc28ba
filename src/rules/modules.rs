//! What a module registers: its tensors, its objects and the modules within it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::expr::Expr;
use super::ranged::{Ranged, picked};
use super::template::Template;
use super::version::Version;
use super::{RuleError, check_expr, check_template, embedded};

/// All module classes of a framework version, by name.
#[derive(Debug, Clone, Default)]
pub struct Modules {
    classes: BTreeMap<&'static str, Vec<Arc<Entry>>>,
}

/// One entry of a module.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Only when this is true.
    pub when: Option<Expr>,
    /// Once for every value of an index.
    pub each: Option<Each>,
    /// Names given to what is inside.
    pub with: Vec<(String, Expr)>,
    /// In which state dict it appears.
    pub side: Side,
    /// Whether its module fills it in where a checkpoint lacks it, so that it is never reported as missing; for all that
    /// a child registers.
    pub optional: bool,
    /// What it is.
    pub content: Content,
}

/// An index such as the layer or the expert number.
#[derive(Debug, Clone)]
pub struct Each {
    /// Its name, used as `{name}` in paths.
    pub index: String,
    /// List of the numbers (counted over the whole model) that this rank or stage holds, in local order.
    pub over: Expr,
    /// Whether the global state stacks them into one tensor with a leading axis.
    pub stacked: Option<Expr>,
    /// How many there are in the whole model: the length of that axis.
    pub total: Option<Expr>,
}

/// In which state dict an entry appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// In both.
    Both,
    /// Only in a rank's own state dict (`torch` format).
    Local,
    /// Only in the global state dict (`torch_dist` format).
    Global,
}

/// What an entry is.
#[derive(Debug, Clone)]
pub enum Content {
    /// A module under a path.
    Child {
        /// Path below the parent in a rank's state dict.
        path: Template,
        /// The same in the global state dict. A trailing `*` stands for the name that follows.
        global: Template,
        /// Its class.
        module: String,
    },
    /// The entries of another class, in place.
    Like(String),
    /// A tensor.
    Tensor {
        /// Name in a rank's state dict.
        name: Template,
        /// Name in the global state dict.
        global: Template,
        /// Sizes in the whole model.
        shape: Vec<Expr>,
        /// The axis that is split over `tp` ranks.
        split: Option<usize>,
        /// Its dtype.
        dtype: Option<Expr>,
    },
    /// An object without shape.
    Object {
        /// Name in a rank's state dict.
        name: Template,
        /// Name in the global state dict.
        global: Template,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    child: Option<String>,
    module: Option<String>,
    like: Option<String>,
    tensor: Option<String>,
    object: Option<String>,
    global: Option<String>,
    #[serde(default)]
    shape: Vec<String>,
    split: Option<usize>,
    dtype: Option<String>,
    when: Option<String>,
    since: Option<String>,
    until: Option<String>,
    #[serde(rename = "for")]
    each: Option<RawEach>,
    #[serde(default)]
    with: BTreeMap<String, String>,
    only: Option<Side>,
    #[serde(default)]
    optional: bool,
    #[serde(default, rename = "because")]
    _because: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEach {
    index: String,
    over: String,
    stacked: Option<String>,
    total: Option<String>,
}

/// Where the rules lie.
const FOLDER: &str = "megatron/modules/";

/// The classes of all versions.
type Classes = BTreeMap<String, Vec<Ranged<Arc<Entry>>>>;

static ALL: LazyLock<Result<Classes, RuleError>> = LazyLock::new(read);

fn read() -> Result<Classes, RuleError> {
    let mut classes = Classes::new();
    for (path, text) in embedded::below(FOLDER) {
        let file: BTreeMap<String, Vec<Raw>> = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
        for (class, raws) in file {
            if classes.contains_key(&class) {
                return Err(RuleError::new(path, format!("the class `{class}` is described twice")));
            }
            let mut entries = Vec::new();
            for (index, raw) in raws.into_iter().enumerate() {
                let place = format!("{path}, {class} entry {}", index + 1);
                let (since, until) = (raw.since.clone(), raw.until.clone());
                let entry = Arc::new(entry(&place, raw)?);
                entries.push(Ranged::new(&place, since.as_deref(), until.as_deref(), entry)?);
            }
            classes.insert(class, entries);
        }
    }
    Ok(classes)
}

impl Modules {
    /// The classes as they are in that version.
    ///
    /// # Errors
    /// When a rule file cannot be read, or names a class that does not exist.
    pub fn load(version: &Version) -> Result<Self, RuleError> {
        let all = ALL.as_ref().map_err(Clone::clone)?;
        let classes = all.iter().map(|(class, entries)| (class.as_str(), picked(entries, version))).collect();
        let modules = Self { classes };
        modules.check_names()?;
        Ok(modules)
    }

    /// The entries of a class.
    pub fn class(&self, name: &str) -> &[Arc<Entry>] {
        self.classes.get(name).map_or(&[], Vec::as_slice)
    }

    fn check_names(&self) -> Result<(), RuleError> {
        for (class, entry) in self.classes.iter().flat_map(|(c, entries)| entries.iter().map(move |e| (c, e))) {
            if let Content::Child { module: name, .. } | Content::Like(name) = &entry.content
                && !self.classes.contains_key(name.as_str())
            {
                return Err(RuleError::new(
                    FOLDER,
                    format!("{class} names the class `{name}`, which is not described"),
                ));
            }
        }
        Ok(())
    }
}

fn entry(place: &str, raw: Raw) -> Result<Entry, RuleError> {
    let expr = |text: &String| check_expr(place, text);
    let template = |text: &str| check_template(place, text);
    let name = raw.child.as_ref().or(raw.tensor.as_ref()).or(raw.object.as_ref());
    // Without a word of its own the global name is the local one.
    let global = raw.global.as_ref().or(name).map(|text| template(text)).transpose()?;
    let content = match (&raw.child, &raw.like, &raw.tensor, &raw.object, raw.module, global) {
        (Some(path), None, None, None, Some(module), Some(global)) => {
            Content::Child { path: template(path)?, global, module }
        }
        (None, Some(class), None, None, None, None) => Content::Like(class.clone()),
        (None, None, Some(name), None, None, Some(global)) => Content::Tensor {
            name: template(name)?,
            global,
            shape: raw.shape.iter().map(expr).collect::<Result<_, _>>()?,
            split: raw.split,
            dtype: raw.dtype.as_ref().map(expr).transpose()?,
        },
        (None, None, None, Some(name), None, Some(global)) => Content::Object { name: template(name)?, global },
        _ => return Err(RuleError::new(place, "expected `child` with `module`, or `like`, `tensor` or `object`")),
    };
    let each = match raw.each {
        None => None,
        Some(each) => Some(Each {
            over: expr(&each.over)?,
            stacked: each.stacked.as_ref().map(expr).transpose()?,
            total: each.total.as_ref().map(expr).transpose()?,
            index: each.index,
        }),
    };
    Ok(Entry {
        when: raw.when.as_ref().map(expr).transpose()?,
        each,
        with: raw.with.iter().map(|(n, v)| Ok((n.clone(), expr(v)?))).collect::<Result<_, RuleError>>()?,
        side: raw.only.unwrap_or(Side::Both),
        optional: raw.optional,
        content,
    })
}
