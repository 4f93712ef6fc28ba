//! Splitting a set of number tuples into full products.

use std::collections::HashMap;

use super::Numbers;

/// One set for each column: the product of them is a part of the tuples.
pub(super) type Product = Vec<Numbers>;

/// Products that together hold each row exactly once, looking at the columns from `column` on.
///
/// The values of a column whose remaining columns look the same are put together, from the last column to the first;
/// the result depends on nothing but the set. Rows must be sorted and distinct, and have a column `column`.
pub(super) fn decompose(rows: &[&[u64]], column: usize) -> Vec<Product> {
    if rows.first().is_none_or(|row| row.len() == column + 1) {
        return vec![vec![Numbers::ascending(rows.iter().map(|row| row[column]))]];
    }
    let mut values_of_rest: HashMap<Vec<Product>, Vec<u64>> = HashMap::new();
    for same_value in rows.chunk_by(|a, b| a[column] == b[column]) {
        values_of_rest.entry(decompose(same_value, column + 1)).or_default().push(same_value[0][column]);
    }
    let mut products: Vec<Product> = values_of_rest
        .into_iter()
        .flat_map(|(rest, values)| {
            let values = Numbers::ascending(values);
            rest.into_iter().map(move |product| {
                let mut sets = Vec::with_capacity(product.len() + 1);
                sets.push(values.clone());
                sets.extend(product);
                sets
            })
        })
        .collect();
    products.sort_unstable();
    products
}
