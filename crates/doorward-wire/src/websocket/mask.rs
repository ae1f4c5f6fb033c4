/// Masks or unmasks `bytes`, which lie `offset` bytes after the start of their frame's payload (RFC 6455, section 5.3).
pub(super) fn apply(mask: [u8; 4], offset: usize, bytes: &mut [u8]) {
    let mut key = mask;
    key.rotate_left(offset % 4);
    let [a, b, c, d] = key;
    // Sixteen bytes at a time: the compiler makes vector instructions of this loop.
    let wide = u128::from_ne_bytes([a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d]);
    let (chunks, rest) = bytes.as_chunks_mut::<16>();
    for chunk in chunks {
        *chunk = (u128::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d].into_iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_is_the_xor_of_the_standard_at_every_length_and_offset() {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        for length in 0..70 {
            for offset in 0..9 {
                let plain: Vec<u8> = (0..length).map(|i| i as u8 * 3).collect();
                let mut masked = plain.clone();
                apply(mask, offset, &mut masked);
                let expected: Vec<u8> =
                    plain.iter().enumerate().map(|(i, byte)| byte ^ mask[(offset + i) % 4]).collect();
                assert_eq!(masked, expected, "length {length}, offset {offset}");
            }
        }
    }
}
