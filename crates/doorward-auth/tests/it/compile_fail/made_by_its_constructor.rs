use doorward_auth::{Admission, Claimant};
use doorward_types::{Cursor, Timestamp, TraceId};

fn made(claimant: Claimant, trace: TraceId, as_of: Cursor, at: Timestamp) -> Admission {
    Admission::of(claimant, trace, as_of, at)
}

fn main() {}
