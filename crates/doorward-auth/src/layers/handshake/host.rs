//! Host: the request has to be for the owner's own host name.
//!
//! user   -> edge      name the host in the upgrade request
//! socket              check host
//!
//! It keeps a page on another name that points here (DNS rebinding) from reaching the gate.

use crate::{BoxFuture, Claimant, Fault, Handshake, HandshakeLayer, Refusal};

const STEP: &str = "socket checks host";

/// The layer. Case does not count, the port does not count; everything else does.
#[derive(Clone, Debug)]
pub struct Host(String);

impl Host {
    /// Requests have to be for this name.
    pub fn new(name: &str) -> Self {
        Self(name.to_ascii_lowercase())
    }
}

impl HandshakeLayer for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn step(&self) -> &'static str {
        STEP
    }

    fn verify<'a>(&'a self, handshake: &'a Handshake, _: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        let verdict = if handshake.host.eq_ignore_ascii_case(&self.0) {
            Ok(())
        } else {
            Err(Refusal::new(Fault::NotAllowed, STEP, format!("the request is not for `{}`", self.0)))
        };
        Box::pin(std::future::ready(verdict))
    }
}
