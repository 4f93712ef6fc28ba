//! Reports made by hand, rendered: what people and programs get to see.

mod formats;
mod founding;
mod human;
mod json;
