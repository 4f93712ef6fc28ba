//! Comparing what was written with its source, element by element, by other means than it was written: digests that do
//! not depend on the order in which elements are read.

use super::error::{ConvertError, Result};
use super::plan::{From, Target};
use super::rewrite::Rewrite;
use super::source::{Opened, Stored, stored};
use super::view::View;
use crate::checkpoint::pickle::graph::Ref;
use crate::checkpoint::store::Blob;

/// How much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Headers, and some elements of every tensor.
    Sampled,
    /// Every element.
    Full,
}

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Tensors.
    pub tensors: u64,
    /// Those of them that belong to one expert.
    pub experts: u64,
    /// Elements.
    pub elements: u64,
}

impl Compared {
    /// Adds another file's.
    pub fn add(&mut self, other: Self) {
        self.tensors += other.tensors;
        self.experts += other.experts;
        self.elements += other.elements;
    }
}

/// A state dict of a file as it was planned: its top-level name and its entries.
pub type Planned = (String, Vec<Target>);

/// Elements that are compared of each tensor when not all are.
const SAMPLE: u64 = 64;

/// Compares a target's file with its source. The target is read anew from disk.
///
/// # Errors
/// When anything differs, or one of the two cannot be read.
pub fn file(source: &Opened, target: &Opened, planned: &[Planned], depth: Depth) -> Result<Compared> {
    let (source, target) = (Rewrite::new(source)?, Rewrite::new(target)?);
    let mut compared = Compared::default();
    for (name, targets) in planned {
        let (from, to) = (dict(&source, name)?, dict(&target, name)?);
        let keys = to.iter().map(|(key, _)| target.graph.text(*key));
        if !keys.eq(targets.iter().map(|target| Some(target.key.as_str()))) {
            return Err(wrong(&target, &format!("`{name}` has other entries than planned")));
        }
        for (entry, (_, value)) in targets.iter().zip(&to) {
            for (ours, theirs) in pairs(&source, &target, entry, &from, *value)? {
                let sum = |file: &Rewrite<'_>, view: &View| digest(&*file.opened.blob, view, depth);
                if (ours.rows, ours.columns, ours.width) != (theirs.rows, theirs.columns, theirs.width)
                    || sum(&source, &ours)? != sum(&target, &theirs)?
                {
                    return Err(wrong(&target, &format!("`{}` has other elements than the source", entry.key)));
                }
                let elements = ours.rows * ours.columns;
                compared.tensors += 1;
                compared.experts += u64::from(entry.is_expert);
                compared.elements += if depth == Depth::Full { elements } else { elements.min(SAMPLE) };
            }
        }
    }
    Ok(compared)
}

fn dict(file: &Rewrite<'_>, name: &str) -> Result<Vec<(Ref, Ref)>> {
    let found = file.top().into_iter().find(|(key, _)| key == name).and_then(|(_, value)| file.graph.items(value));
    found.ok_or_else(|| wrong(file, &format!("there is no `{name}`")))
}

/// Matrices of the source and the target that must be equal.
fn pairs(
    source: &Rewrite<'_>,
    target: &Rewrite<'_>,
    entry: &Target,
    from: &[(Ref, Ref)],
    value: Ref,
) -> Result<Vec<(View, View)>> {
    let plain = |index: usize| stored(&source.graph, from[index].1);
    let Some(there) = stored(&target.graph, value) else {
        // Not a tensor here, then not there either.
        return match &entry.from {
            From::Nothing if target.graph.is_none(value) => Ok(Vec::new()),
            From::Same(index) if plain(*index).is_none() => Ok(Vec::new()),
            _ => Err(wrong(target, &format!("`{}` is no tensor", entry.key))),
        };
    };
    let missing = || wrong(target, &format!("`{}` has another form than planned", entry.key));
    let view = |file: &Rewrite<'_>, stored: &Stored| file.opened.view(stored)?.ok_or_else(missing);
    match &entry.from {
        From::Nothing => Err(missing()),
        From::Same(index) => {
            let here = plain(*index).ok_or_else(missing)?;
            if (&here.shape, &here.strides, &here.dtype) != (&there.shape, &there.strides, &there.dtype) {
                return Err(missing());
            }
            Ok(vec![(flat(source, &here)?, flat(target, &there)?)])
        }
        From::Split { entry: index, block } => {
            let here = plain(*index).ok_or_else(missing)?;
            if here.dtype != there.dtype || there.shape != entry.shape {
                return Err(missing());
            }
            let (whole, there) = (view(source, &here)?, view(target, &there)?);
            // Element (row, column) of an expert is number `column * rows + row` of its block.
            let size = there.rows * there.columns * there.width;
            let (row_step, column_step) = (there.width, there.rows * there.width);
            Ok(vec![(View { start: whole.start + block * size, row_step, column_step, ..there }, there)])
        }
        From::Join(indices) => {
            if there.shape != entry.shape {
                return Err(missing());
            }
            let whole = view(target, &there)?;
            let mut found = Vec::with_capacity(indices.len());
            for (block, &index) in indices.iter().enumerate() {
                let here = plain(index).filter(|here| here.dtype == there.dtype).ok_or_else(missing)?;
                let here = view(source, &here)?;
                let size = here.rows * here.columns * here.width;
                let (row_step, column_step) = (here.width, here.rows * here.width);
                let start = whole.start + block as u64 * size;
                found.push((here, View { start, row_step, column_step, ..here }));
            }
            Ok(found)
        }
    }
}

/// The stretch of a storage that a tensor lies in, as one row.
fn flat(file: &Rewrite<'_>, stored: &Stored) -> Result<View> {
    let (_, start) = file.opened.storage(&stored.key)?;
    let last =
        stored.shape.iter().zip(&stored.strides).map(|(size, stride)| size.saturating_sub(1) * stride).sum::<u64>();
    let elements = if stored.shape.contains(&0) { 0 } else { last + 1 };
    Ok(View::dense(start + stored.offset * stored.width, 1, elements, stored.width))
}

fn wrong(file: &Rewrite<'_>, message: &str) -> ConvertError {
    ConvertError::Wrong { path: file.opened.blob.path().to_path_buf(), message: message.to_owned() }
}

/// A sum over elements that depends on each one's place in the matrix and not on the order of reading.
fn digest(blob: &dyn Blob, view: &View, depth: Depth) -> Result<u64> {
    let elements = view.rows * view.columns;
    if depth == Depth::Full || elements <= SAMPLE {
        return whole(blob, view);
    }
    let mut sum = 0_u64;
    let mut bytes = [0; 16];
    let bytes = &mut bytes[..(view.width as usize).min(16)];
    for number in 0..SAMPLE {
        let index = if number == 0 { elements - 1 } else { mix(number ^ elements.rotate_left(32)) % elements };
        let at = view.start + index / view.columns * view.row_step + index % view.columns * view.column_step;
        blob.read_into(at, bytes)?;
        sum = sum.wrapping_add(term(index, bytes));
    }
    Ok(sum)
}

/// Bytes that are read at once.
const WINDOW: u64 = 1 << 20;

fn whole(blob: &dyn Blob, view: &View) -> Result<u64> {
    // Lines are what lies side by side: the rows, or the columns.
    let by_row = view.has_dense_rows();
    let along = if by_row { *view } else { view.transposed() };
    let (lines, length) = if along.is_dense() { (1, along.rows * along.columns) } else { (along.rows, along.columns) };
    let mut sum = 0_u64;
    let mut buffer = Vec::new();
    for line in 0..lines {
        let mut done = 0;
        while done < length {
            let count = (WINDOW / view.width).max(1).min(length - done);
            buffer.resize((count * view.width) as usize, 0);
            blob.read_into(along.start + line * along.row_step + done * view.width, &mut buffer)?;
            let numbers = line * along.columns + done..;
            for (number, element) in numbers.zip(buffer.chunks_exact(view.width as usize)) {
                let (row, column) = (number / along.columns, number % along.columns);
                let index = if by_row { number } else { column * view.columns + row };
                sum = sum.wrapping_add(term(index, element));
            }
            done += count;
        }
    }
    Ok(sum)
}

fn term(index: u64, element: &[u8]) -> u64 {
    let value = element.iter().rev().fold(0_u128, |value, &byte| value << 8 | u128::from(byte));
    mix(mix(index) ^ (value as u64) ^ ((value >> 64) as u64).rotate_left(17))
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of the number.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
