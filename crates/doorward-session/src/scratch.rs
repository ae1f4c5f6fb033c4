use std::cell::RefCell;

/// How much is read or written at once, in bytes.
pub(crate) const SCRATCH: usize = 64 * 1024;

thread_local! {
    static READ: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static WRITE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends this thread's read buffer, [`SCRATCH`] bytes long: no connection owns one while it is idle.
pub(crate) fn with_read_buffer<T>(act: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = READ.take();
    buffer.resize(SCRATCH, 0);
    let value = act(&mut buffer);
    READ.set(buffer);
    value
}

/// Lends this thread's write buffer, empty, with room for [`SCRATCH`] bytes: small frames go out together through it.
pub(crate) fn with_write_buffer<T>(act: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut buffer = WRITE.take();
    buffer.clear();
    buffer.reserve(SCRATCH);
    let value = act(&mut buffer);
    WRITE.set(buffer);
    value
}
