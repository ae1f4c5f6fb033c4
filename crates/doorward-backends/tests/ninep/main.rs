//! The file server, with clients that speak to it byte by byte.

#[cfg(test)]
#[path = "../../../doorward-session/tests/session/support.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests of the session crate use more of it")]
mod support;

#[cfg(test)]
mod attaching;
#[cfg(test)]
mod bytes;
#[cfg(test)]
mod cart;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod files;
#[cfg(test)]
mod flushing;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod paper;
#[cfg(test)]
mod sequences;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod walking;
