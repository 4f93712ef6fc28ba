//! Moving elements through windows of bounded size: copies where they lie as they should, transposes by tiles where not.

use crc32fast::Hasher;

use super::error::Result;
use super::rewrite::Content;
use super::view::View;
use crate::checkpoint::store::Blob;

/// Takes bytes of the content, with their place in it.
pub type Sink<'s> = &'s mut dyn FnMut(u64, &[u8]) -> Result<()>;

/// Reads are no faster with larger windows: this one stays in the processor's cache.
const READ_WINDOW: usize = 1 << 20;
/// Rows and columns of a tile: two of them stay in the first-level cache for every width.
const TILE: usize = 32;

/// Two windows: what is read, small, and what is written, of `size` bytes.
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

    /// Passes the bytes of a content on; their checksum (CRC-32) comes back.
    ///
    /// # Errors
    /// When the source cannot be read, or the sink fails.
    pub fn pass(&mut self, blob: &dyn Blob, content: &Content, sink: Sink<'_>) -> Result<u32> {
        let mut total = Hasher::new();
        let mut done = 0;
        match content {
            Content::Bytes(bytes) => {
                total.update(bytes);
                sink(0, bytes)?;
            }
            Content::Copy { start, size } => total = self.copy(blob, *start, *size, sink)?,
            Content::Rows(views) => {
                for view in views {
                    let bytes = view.bytes();
                    total.combine(&self.rows(blob, view, &mut |at, bytes| sink(done + at, bytes))?);
                    done += bytes;
                }
            }
        }
        Ok(total.finalize())
    }

    fn copy(&mut self, blob: &dyn Blob, start: u64, size: u64, sink: Sink<'_>) -> Result<Hasher> {
        let mut hasher = Hasher::new();
        let mut done = 0;
        while done < size {
            let length = usize::try_from(size - done).unwrap_or(usize::MAX).min(READ_WINDOW);
            self.read.resize(self.read.len().max(length), 0);
            blob.read_into(start + done, &mut self.read[..length])?;
            hasher.update(&self.read[..length]);
            sink(done, &self.read[..length])?;
            done += length as u64;
        }
        Ok(hasher)
    }

    fn rows(&mut self, blob: &dyn Blob, view: &View, sink: Sink<'_>) -> Result<Hasher> {
        if view.bytes() == 0 {
            return Ok(Hasher::new());
        }
        if view.is_dense() {
            return self.copy(blob, view.start, view.bytes(), sink);
        }
        let row_bytes = view.columns * view.width;
        if view.has_dense_rows() {
            let mut hasher = Hasher::new();
            for row in 0..view.rows {
                let start = view.start + row * view.row_step;
                let place = row * row_bytes;
                hasher.combine(&self.copy(blob, start, row_bytes, &mut |at, bytes| sink(place + at, bytes))?);
            }
            return Ok(hasher);
        }
        // The source has the view's columns as its lines. Rows are written whole, many at once: small writes at many places
        // of one file wait for each other. So pieces of all lines are read, again for each window of rows.
        blob.will_need(view.start, view.columns * view.column_step);
        let rows_at_once = (self.size as u64 / row_bytes).clamp(1, view.rows);
        let columns_at_once = (self.size as u64 / (rows_at_once * view.width)).clamp(1, view.columns);
        let mut hasher = Hasher::new();
        for row in (0..view.rows).step_by(rows_at_once as usize) {
            let rows = rows_at_once.min(view.rows - row);
            for column in (0..view.columns).step_by(columns_at_once as usize) {
                let columns = columns_at_once.min(view.columns - column);
                let start = view.start + row * view.row_step + column * view.column_step;
                let written = self.window(blob, &View { start, rows, columns, ..*view })?;
                hasher.update(written);
                sink(row * row_bytes + column * view.width, written)?;
            }
        }
        Ok(hasher)
    }

    /// One window: its elements lie column by column and come back row by row.
    fn window(&mut self, blob: &dyn Blob, view: &View) -> Result<&[u8]> {
        let (rows, columns, width) = (view.rows as usize, view.columns as usize, view.width as usize);
        let (line, length) = (rows * width, rows * columns * width);
        self.written.resize(self.written.len().max(length), 0);
        let lines_at_once = (READ_WINDOW / line).clamp(1, columns);
        self.read.resize(self.read.len().max(lines_at_once * line), 0);
        let written = &mut self.written[..length];
        for column in (0..columns).step_by(lines_at_once) {
            let lines = lines_at_once.min(columns - column);
            let read = &mut self.read[..lines * line];
            let start = view.start + column as u64 * view.column_step;
            if view.column_step == line as u64 {
                blob.read_into(start, read)?;
            } else {
                for (index, piece) in read.chunks_exact_mut(line).enumerate() {
                    blob.read_into(start + index as u64 * view.column_step, piece)?;
                }
            }
            let to = &mut written[column * width..];
            match width {
                1 => transpose::<1>(read, to, lines, rows, columns),
                2 => transpose_pairs(read, to, lines, rows, columns),
                4 => transpose::<4>(read, to, lines, rows, columns),
                8 => transpose::<8>(read, to, lines, rows, columns),
                _ => transpose_any(read, to, lines, rows, columns, width),
            }
        }
        Ok(written)
    }
}

/// From `rows` x `columns` to `columns` x `rows`, by tiles; the target's rows have `stride` elements.
fn transpose<const WIDTH: usize>(from: &[u8], to: &mut [u8], rows: usize, columns: usize, stride: usize) {
    let (from, _) = from.as_chunks::<WIDTH>();
    let (to, _) = to.as_chunks_mut::<WIDTH>();
    for top in (0..rows).step_by(TILE) {
        let height = TILE.min(rows - top);
        for left in (0..columns).step_by(TILE) {
            for column in left..columns.min(left + TILE) {
                let target = &mut to[column * stride + top..][..height];
                let source = from[top * columns + column..].iter().step_by(columns);
                target.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// The same for elements of two bytes, as most are: four of four lines at a time, as four whole numbers.
fn transpose_pairs(from: &[u8], to: &mut [u8], rows: usize, columns: usize, stride: usize) {
    let (whole_rows, whole_columns) = (rows - rows % 4, columns - columns % 4);
    for top in (0..whole_rows).step_by(TILE) {
        for left in (0..whole_columns).step_by(TILE) {
            for column in (left..whole_columns.min(left + TILE)).step_by(4) {
                for row in (top..whole_rows.min(top + TILE)).step_by(4) {
                    let line = |i: usize| {
                        let at = ((row + i) * columns + column) * 2;
                        from[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
                    };
                    for (i, line) in exchange([line(0), line(1), line(2), line(3)]).into_iter().enumerate() {
                        let at = ((column + i) * stride + row) * 2;
                        to[at..at + 8].copy_from_slice(&line.to_le_bytes());
                    }
                }
            }
        }
    }
    let edge = |row: usize, column: usize, to: &mut [u8]| {
        let (source, target) = ((row * columns + column) * 2, (column * stride + row) * 2);
        to[target..target + 2].copy_from_slice(&from[source..source + 2]);
    };
    (whole_rows..rows).for_each(|row| (0..columns).for_each(|column| edge(row, column, to)));
    (whole_columns..columns).for_each(|column| (0..whole_rows).for_each(|row| edge(row, column, to)));
}

/// Rows and columns of a matrix of 4 x 4 numbers of 16 bits exchanged: first of its halves, then within them.
fn exchange([a, b, c, d]: [u64; 4]) -> [u64; 4] {
    const EVEN: u64 = 0x0000_ffff_0000_ffff;
    const LOW: u64 = 0x0000_0000_ffff_ffff;
    let pair = |a: u64, b: u64| ((a & EVEN) | (b & EVEN) << 16, (a >> 16 & EVEN) | (b & !EVEN));
    let ((a, b), (c, d)) = (pair(a, b), pair(c, d));
    [(a & LOW) | c << 32, (b & LOW) | d << 32, a >> 32 | (c & !LOW), b >> 32 | (d & !LOW)]
}

fn transpose_any(from: &[u8], to: &mut [u8], rows: usize, columns: usize, stride: usize, width: usize) {
    for row in 0..rows {
        for column in 0..columns {
            let (source, target) = ((row * columns + column) * width, (column * stride + row) * width);
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
                let mut passed = vec![0; expected.len() * 2];
                let mut count = 0;
                let mut sink = |at: u64, bytes: &[u8]| {
                    passed[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
                    count += bytes.len();
                    Ok(())
                };
                let checksum = windows.pass(&*blob, &Content::Rows(vec![view; 2]), &mut sink).expect("elements");
                let expected = expected.repeat(2);
                prop_assert_eq!(count, expected.len());
                prop_assert_eq!(checksum, crc32fast::hash(&expected));
                prop_assert_eq!(&passed, &expected);
            }
        }
    }
}
