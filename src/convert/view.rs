//! A matrix as it lies in a file.

/// Where the elements of a matrix lie: element (r, c) is at `start + r * row_step + c * column_step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The first element's byte.
    pub start: u64,
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: u64,
    /// Bytes from a row to the next.
    pub row_step: u64,
    /// Bytes from a column to the next.
    pub column_step: u64,
    /// Bytes of an element.
    pub width: u64,
}

impl View {
    /// A matrix that lies row by row without gaps.
    pub fn dense(start: u64, rows: u64, columns: u64, width: u64) -> Self {
        Self { start, rows, columns, row_step: columns * width, column_step: width, width }
    }

    /// The same elements with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row_step: self.column_step, column_step: self.row_step, ..self }
    }

    /// How many bytes its elements have.
    pub fn bytes(&self) -> u64 {
        self.rows * self.columns * self.width
    }

    /// Whether its rows lie in one piece each.
    pub fn has_dense_rows(&self) -> bool {
        self.column_step == self.width || self.columns <= 1
    }

    /// Whether it lies row by row without gaps.
    pub fn is_dense(&self) -> bool {
        self.has_dense_rows() && (self.row_step == self.columns * self.width || self.rows <= 1)
    }
}
