//! Moving elements through windows of bounded size: copies where they lie as they should, transposes by tiles where not.

use super::error::Result;
use super::rewrite::Content;
use super::view::View;
use crate::checkpoint::store::Blob;

/// Takes the content's bytes in order.
pub type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> Result<()>;

/// Copies are no faster with larger windows: this one stays in the processor's cache.
const COPY_WINDOW: usize = 1 << 20;
/// Rows and columns of a tile: two of them stay in the first-level cache for every width.
const TILE: usize = 32;

/// Two windows of that many bytes: what is read, and what is written.
pub struct Windows {
    size: usize,
    read: Vec<u8>,
    written: Vec<u8>,
}

impl Windows {
    /// Windows of that size; no memory is taken before it is needed.
    pub fn new(size: usize) -> Self {
        Self { size: size.max(4096), read: Vec::new(), written: Vec::new() }
    }

    /// Passes the bytes of a content on.
    ///
    /// # Errors
    /// When the source cannot be read, or the sink fails.
    pub fn pass(&mut self, blob: &dyn Blob, content: &Content, sink: Sink<'_>) -> Result<()> {
        match content {
            Content::Bytes(bytes) => sink(bytes),
            Content::Copy { start, size } => self.copy(blob, *start, *size, sink),
            Content::Rows(views) => views.iter().try_for_each(|view| self.rows(blob, view, sink)),
        }
    }

    fn copy(&mut self, blob: &dyn Blob, start: u64, size: u64, sink: Sink<'_>) -> Result<()> {
        let mut done = 0;
        while done < size {
            let length = usize::try_from(size - done).unwrap_or(usize::MAX).min(COPY_WINDOW);
            self.read.resize(self.read.len().max(length), 0);
            blob.read_into(start + done, &mut self.read[..length])?;
            sink(&self.read[..length])?;
            done += length as u64;
        }
        Ok(())
    }

    fn rows(&mut self, blob: &dyn Blob, view: &View, sink: Sink<'_>) -> Result<()> {
        if view.bytes() == 0 {
            return Ok(());
        }
        if view.is_dense() {
            return self.copy(blob, view.start, view.bytes(), sink);
        }
        if view.has_dense_rows() {
            for row in 0..view.rows {
                self.copy(blob, view.start + row * view.row_step, view.columns * view.width, sink)?;
            }
            return Ok(());
        }
        // The source has the view's columns as its rows: some of each of them become some rows of the view.
        let column_bytes = view.columns * view.width;
        let at_once = (self.size as u64 / column_bytes).clamp(1, view.rows);
        let columns_at_once = (self.size as u64 / (at_once * view.width)).clamp(1, view.columns);
        let mut row = 0;
        while row < view.rows {
            let rows = at_once.min(view.rows - row);
            let mut column = 0;
            while column < view.columns {
                let columns = columns_at_once.min(view.columns - column);
                let start = view.start + row * view.row_step + column * view.column_step;
                self.window(blob, &View { start, rows, columns, ..*view }, sink)?;
                column += columns;
            }
            row += rows;
        }
        Ok(())
    }

    /// One window: its elements lie column by column and are passed on row by row.
    fn window(&mut self, blob: &dyn Blob, view: &View, sink: Sink<'_>) -> Result<()> {
        let (rows, columns, width) = (view.rows as usize, view.columns as usize, view.width as usize);
        let length = rows * columns * width;
        self.read.resize(self.read.len().max(length), 0);
        self.written.resize(self.written.len().max(length), 0);
        let (read, written) = (&mut self.read[..length], &mut self.written[..length]);
        if view.transposed().is_dense() {
            blob.read_into(view.start, read)?;
        } else {
            for (column, piece) in read.chunks_exact_mut(rows * width).enumerate() {
                blob.read_into(view.start + column as u64 * view.column_step, piece)?;
            }
        }
        match width {
            1 => transpose::<1>(read, written, columns, rows),
            2 => transpose::<2>(read, written, columns, rows),
            4 => transpose::<4>(read, written, columns, rows),
            8 => transpose::<8>(read, written, columns, rows),
            _ => transpose_any(read, written, columns, rows, width),
        }
        sink(written)
    }
}

/// From `rows` x `columns` to `columns` x `rows`, by tiles.
fn transpose<const WIDTH: usize>(from: &[u8], to: &mut [u8], rows: usize, columns: usize) {
    let (from, _) = from.as_chunks::<WIDTH>();
    let (to, _) = to.as_chunks_mut::<WIDTH>();
    for top in (0..rows).step_by(TILE) {
        let height = TILE.min(rows - top);
        for left in (0..columns).step_by(TILE) {
            for column in left..columns.min(left + TILE) {
                let target = &mut to[column * rows + top..][..height];
                let source = from[top * columns + column..].iter().step_by(columns);
                target.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

fn transpose_any(from: &[u8], to: &mut [u8], rows: usize, columns: usize, width: usize) {
    for row in 0..rows {
        for column in 0..columns {
            let (source, target) = ((row * columns + column) * width, (column * rows + row) * width);
            to[target..target + width].copy_from_slice(&from[source..source + width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::store::{LocalStore, Store as _};

    proptest! {
        #[test]
        fn windows_do_not_change_what_is_passed(
            rows in 1_u64..70, columns in 1_u64..70, width in prop::sample::select(vec![1_u64, 2, 4, 8, 16]),
            before in 0_u64..9, gap in 0_u64..5, window in 1_usize..20_000,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let step = (columns + gap) * width;
            let bytes: Vec<u8> = (0..before + rows * step).map(|i| (i * 31 + i / 251) as u8).collect();
            std::fs::write(folder.path().join("x"), &bytes).expect("a file");
            let blob = LocalStore::new(folder.path()).open("x").expect("a file");
            let view = View { start: before, rows, columns, row_step: step, column_step: width, width };
            for view in [view, view.transposed()] {
                let mut expected = Vec::new();
                for row in 0..view.rows {
                    for column in 0..view.columns {
                        let at = (view.start + row * view.row_step + column * view.column_step) as usize;
                        expected.extend_from_slice(&bytes[at..at + width as usize]);
                    }
                }
                let mut windows = Windows { size: window, read: Vec::new(), written: Vec::new() };
                let mut passed = Vec::new();
                let mut sink = |bytes: &[u8]| { passed.extend_from_slice(bytes); Ok(()) };
                windows.pass(&*blob, &Content::Rows(vec![view]), &mut sink).expect("elements");
                prop_assert_eq!(&passed, &expected);
            }
        }
    }
}
