use super::{Violation, frame::Opcode};

/// The most bytes that a header can have: two, eight of length, four of mask.
pub(super) const LONGEST: usize = 14;

/// The header of one frame, whose own rules it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) length: u64,
}

impl Header {
    /// Reads a header and tells how many bytes it had; `None` while it is not whole. What is there is checked at once.
    pub(super) fn read(bytes: &[u8], from_client: bool) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBits);
        }
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(Violation::ReservedOpcode(first & 0x0f))?;
        let fin = first & 0x80 != 0;
        if opcode.is_control() && !fin {
            return Err(Violation::FragmentedControl);
        }

        let Some(&second) = bytes.get(1) else { return Ok(None) };
        match (from_client, second & 0x80 != 0) {
            (true, false) => return Err(Violation::NotMasked),
            (false, true) => return Err(Violation::Masked),
            _ => {}
        }
        let short = second & 0x7f;
        if opcode.is_control() && short > 125 {
            return Err(Violation::LongControl);
        }
        let (length, mut size) = match short {
            126 => match chunk::<2>(bytes, 2).map(u16::from_be_bytes) {
                None => return Ok(None),
                Some(0..=125) => return Err(Violation::LengthNotMinimal),
                Some(length) => (length.into(), 4),
            },
            127 => match chunk::<8>(bytes, 2).map(u64::from_be_bytes) {
                None => return Ok(None),
                Some(0..=0xffff) => return Err(Violation::LengthNotMinimal),
                Some(length) if length >> 63 != 0 => return Err(Violation::ImpossibleLength),
                Some(length) => (length, 10),
            },
            short => (short.into(), 2),
        };
        let mask = if from_client {
            let Some(mask) = chunk::<4>(bytes, size) else { return Ok(None) };
            size += 4;
            Some(mask)
        } else {
            None
        };
        Ok(Some((Self { opcode, fin, mask, length }, size)))
    }
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
