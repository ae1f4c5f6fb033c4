use std::sync::Arc;

use doorward_auth::{
    BoxFuture,
    ports::{Attempt, AttemptId, PortError, Reserved, Throttle},
};
use doorward_types::OwnerId;

use super::Metrics;

/// A throttle of which is counted how often it says no.
pub(crate) struct Counting {
    throttle: Arc<dyn Throttle>,
    metrics: Arc<Metrics>,
}

impl Counting {
    pub(crate) fn new(throttle: Arc<dyn Throttle>, metrics: Arc<Metrics>) -> Self {
        Self { throttle, metrics }
    }
}

impl Throttle for Counting {
    fn reserve<'a>(&'a self, attempt: Attempt) -> BoxFuture<'a, Result<Reserved, PortError>> {
        Box::pin(async move {
            let factor = attempt.factor;
            let reserved = self.throttle.reserve(attempt).await?;
            if !matches!(reserved, Reserved::Go(_)) {
                self.metrics.throttled(factor);
            }
            Ok(reserved)
        })
    }

    fn was_right<'a>(&'a self, attempt: AttemptId) -> BoxFuture<'a, Result<(), PortError>> {
        self.throttle.was_right(attempt)
    }

    fn forgive<'a>(
        &'a self,
        owner: &'a OwnerId,
        factor: &'static str,
        subject: [u8; 32],
    ) -> BoxFuture<'a, Result<(), PortError>> {
        self.throttle.forgive(owner, factor, subject)
    }
}

#[cfg(test)]
mod tests {
    use doorward_auth::memory::MemorySite;
    use doorward_types::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_try_that_has_to_wait_is_counted_by_its_factor_and_one_that_may_be_made_is_not() {
        let metrics = Metrics::new();
        let throttle = Counting::new(Arc::new(MemorySite::default()), Arc::clone(&metrics));
        let counted = |factor| metrics.throttled.get_or_create(&super::super::Factor { factor }).get();
        let mut attempt = Attempt {
            owner: OwnerId::new("acme"),
            factor: "password",
            subject: [7; 32],
            device: None,
            source: [192, 0, 2, 7].into(),
            at: Timestamp::from_secs(1_795_312_386),
        };
        // From a source of its own each, so that only the subject's failures count.
        for last in 1..=5 {
            attempt.source = [192, 0, 2, last].into();
            assert!(matches!(throttle.reserve(attempt.clone()).await, Ok(Reserved::Go(_))));
        }
        assert_eq!(counted("password"), 0);
        assert!(matches!(throttle.reserve(attempt).await, Ok(Reserved::Wait(_))));
        assert_eq!((counted("password"), counted("totp")), (1, 0));
    }
}
