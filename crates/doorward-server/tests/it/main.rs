//! Tests of the workspace and of the server as a whole.

mod layering;
