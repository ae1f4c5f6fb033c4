/// Appends what arrived. The memory doubles at the most, so it is never more than twice what has arrived.
pub(crate) fn keep(buffer: &mut Vec<u8>, arrived: &[u8], expected: usize) {
    if buffer.capacity() - buffer.len() < arrived.len() {
        let spare = expected.min(buffer.len());
        buffer.reserve_exact(arrived.len().saturating_add(spare));
    }
    buffer.extend_from_slice(arrived);
}
