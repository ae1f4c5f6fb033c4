use std::{sync::Arc, time::Duration};

use super::PortError;
use crate::{BoxFuture, Refusal};

/// A port as a layer has it: it answers within a time, or it counts as down. There is no way to ask it without that bound.
pub(crate) struct Bounded<P: ?Sized> {
    name: &'static str,
    port: Arc<P>,
    within: Duration,
}

impl<P: ?Sized> Bounded<P> {
    /// The port, which goes by `name` in the log.
    pub(crate) fn new(name: &'static str, port: Arc<P>, within: Duration) -> Self {
        Self { name, port, within }
    }

    /// Asks the port, for `step` of the layer's script. One that is down, or silent, is no fault of the user's.
    pub(crate) async fn ask<'a, T>(
        &'a self,
        step: &'static str,
        question: impl FnOnce(&'a P) -> BoxFuture<'a, Result<T, PortError>>,
    ) -> Result<T, Refusal> {
        self.answer(question).await.map_err(|error| error.refuse(step))
    }

    /// Asks the port. One that is silent is down.
    pub(crate) async fn answer<'a, T>(
        &'a self,
        question: impl FnOnce(&'a P) -> BoxFuture<'a, Result<T, PortError>>,
    ) -> Result<T, PortError> {
        tokio::time::timeout(self.within, question(&self.port)).await.unwrap_or_else(|_| {
            Err(PortError { port: self.name, detail: format!("it did not answer within {:?}", self.within) })
        })
    }
}

impl<P: ?Sized> Clone for Bounded<P> {
    fn clone(&self) -> Self {
        Self { name: self.name, port: Arc::clone(&self.port), within: self.within }
    }
}
