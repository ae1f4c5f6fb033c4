use doorward_types::Timestamp;

/// The wall clock. Deadlines do not come from here: they are monotonic.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}
