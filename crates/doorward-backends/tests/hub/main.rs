//! The hub and the echo, with peers that speak to them.

#[cfg(test)]
#[path = "../../../doorward-session/tests/session/support.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests of the session crate use more of it")]
mod support;

#[cfg(test)]
mod changes;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod events;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod renewals;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod suspended;
#[cfg(test)]
mod users;
mod withdrawn;
