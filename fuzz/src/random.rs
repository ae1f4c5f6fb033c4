//! Numbers and mutations from a seed: the same seed gives the same run.

/// A generator of numbers (SplitMix64): small, and good enough to choose by.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.bits() % (end as u64).max(1)).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// The largest input that is made.
const LARGEST: usize = 16 * 1024;
/// Bytes at which something changes: lengths, opcodes, edges of UTF-8, and what JSON is made of.
const EDGES: &[u8] =
    b"\x00\x01\x7d\x7e\x7f\x80\x81\x82\x88\x89\x8a\xbf\xc0\xc2\xe0\xed\xf0\xf4\xf8\xff\"\\{}[]:,-0.eE \n*";
/// Pieces that matter as a whole.
const PIECES: &[&[u8]] = &[
    b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x82\xfe\x00\x7d",
    b"\x88\x82\0\0\0\0\x03\xed",
    b"\x01\x80\0\0\0\0",
    b"\x80\x80\0\0\0\0",
    b"\xf0\x9f\x9a\xaa",
    b"\xed\xa0\x80",
    b"\"action\":\"auth\",",
    b"\"pk\":3,",
    b"\"id\":1e3,",
    b"\\u0000",
    b"\\ud83d\\udeaa",
    b"\\ud800",
    b"[[[[[[[[",
    b"]]]]]]]]",
    b"null",
    b"true",
    b"18446744073709551616",
    b"-0",
    b"                ",
    b", ,",
    b"\x80\xff",
    b"\"kty\":\"RSA\",",
    b"\"alg\":\"none\",",
    b".e30.",
];

/// Changes `input` in one to eight places, with pieces of `other` among what comes in.
pub fn mutate(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=random.below(8) {
        let at = random.below(input.len() + 1);
        let end = at + random.below(input.len() + 1 - at);
        match random.below(9) {
            0 | 1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            2 => {
                if let (Some(byte), Some(edge)) = (input.get_mut(at), random.pick(EDGES)) {
                    *byte = *edge;
                }
            }
            3 => input.extend(random.pick(EDGES).copied()),
            4 => drop(input.splice(at..at, random.pick(PIECES).copied().unwrap_or_default().iter().copied())),
            5 => drop(input.drain(at..end.min(at + 16))),
            6 => input.truncate(at),
            7 => {
                let piece = input.get(at..end).unwrap_or_default().to_vec();
                let place = random.below(input.len() + 1);
                drop(input.splice(place..place, piece));
            }
            _ => {
                let from = random.below(other.len() + 1);
                drop(input.splice(at..end, other.get(from..).unwrap_or_default().iter().copied()));
            }
        }
        input.truncate(LARGEST);
    }
}
