//! What every implementation of a port must do, whatever it is made of: one function per port, which runs all cases and
//! panics at the first that does not hold.
//!
//! The cases of a suite use names and hashes of their own, so one implementation may be given to all suites, but to each of
//! them only once.
//!
//! ```
//! use doorward_auth::ports::Tickets;
//! async fn my_tickets_are_tickets(mine: &dyn Tickets) {
//!     doorward_testkit::suites::tickets(mine).await;
//! }
//! ```
#![expect(clippy::unwrap_used, reason = "a suite tells by a panic that something does not hold")]

mod app_keys;
mod audit;
mod tickets;
mod used_tokens;

use std::{future::Future, pin::Pin, task::Poll};

use doorward_types::{OwnerId, Subject};

pub use app_keys::app_keys;
pub use audit::audit;
pub use tickets::tickets;
pub use used_tokens::used_tokens;

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

fn globex() -> OwnerId {
    OwnerId::new("globex")
}

fn member(name: &str) -> Subject {
    Subject { kind: "member".into(), pk: "7".into(), uuid: name.into() }
}

/// Polls all futures side by side and gives their values in order.
async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<Pin<Box<_>>> = futures.into_iter().map(Box::pin).collect();
    let mut values: Vec<Option<T>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, value) in running.iter_mut().zip(&mut values) {
            if value.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *value = Some(ready);
            }
        }
        if values.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    values.into_iter().flatten().collect()
}
