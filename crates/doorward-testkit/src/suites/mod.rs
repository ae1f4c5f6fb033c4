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
#![expect(clippy::unwrap_used, clippy::panic, reason = "a suite tells by a panic that something does not hold")]

mod accounts;
mod api_keys;
mod app_keys;
mod audit;
mod carts;
mod factors;
mod key_entries;
mod refreshes;
mod revocations;
mod sessions;
mod site;
mod throttle;
mod tickets;
mod used_tokens;

use std::{future::Future, pin::Pin, task::Poll};

use doorward_types::{OwnerId, Subject};

pub use accounts::accounts;
pub use api_keys::api_keys;
pub use app_keys::app_keys;
pub use audit::audit;
pub use carts::carts;
pub use factors::factors;
pub use key_entries::key_entries;
pub use refreshes::refreshes;
pub use revocations::revocations;
pub use sessions::sessions;
pub use throttle::throttle;
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

/// Lets the other futures of [`all`] go on.
async fn others_first() {
    let mut had_their_turn = false;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut had_their_turn, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
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
