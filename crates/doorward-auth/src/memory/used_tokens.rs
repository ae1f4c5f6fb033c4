use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use doorward_types::{OwnerId, Timestamp};

use super::lock;
use crate::{
    BoxFuture,
    ports::{Clock, PortError, UsedTokens},
};

/// [`UsedTokens`] in memory. Marks are forgotten when their tokens have expired.
pub struct MemoryUsedTokens {
    clock: Arc<dyn Clock>,
    marks: Mutex<HashMap<(OwnerId, String, String), Timestamp>>,
}

impl MemoryUsedTokens {
    /// Without any mark. The clock says which marks may be forgotten.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, marks: Mutex::default() }
    }
}

impl UsedTokens for MemoryUsedTokens {
    fn use_once<'a>(
        &'a self,
        owner: &'a OwnerId,
        issuer: &'a str,
        id: &'a str,
        expires_at: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut marks = lock(&self.marks);
            marks.retain(|_, expires_at| now < *expires_at);
            Ok(marks.insert((owner.clone(), issuer.to_owned(), id.to_owned()), expires_at).is_none())
        })
    }
}
