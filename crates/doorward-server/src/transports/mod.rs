//! How a ladder speaks over a line: one file per wire.

pub(crate) mod json;
