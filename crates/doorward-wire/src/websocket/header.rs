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

    /// Checks the frame against what came before it (section 5.4): `open` says whether a message had begun and not ended. Gives
    /// whether that is so behind this frame.
    pub(super) fn follows(&self, open: bool) -> Result<bool, Violation> {
        match (self.opcode, open) {
            (Opcode::Continuation, false) => Err(Violation::NothingToContinue),
            (Opcode::Text | Opcode::Binary, true) => Err(Violation::MessageUnfinished),
            (opcode, open) if opcode.is_control() => Ok(open),
            _ => Ok(!self.fin),
        }
    }
}

/// The beginning of a header whose rest has not come.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun {
    bytes: [u8; LONGEST],
    length: u8,
}

impl Begun {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; LONGEST], length: 0 }
    }

    /// How many bytes have come.
    pub(super) fn len(&self) -> usize {
        self.length.into()
    }

    /// Goes on with the next bytes: the header, and how many of them belonged to it. Where it is not whole yet it has taken all
    /// of them.
    pub(super) fn go_on(&mut self, bytes: &[u8], from_client: bool) -> Result<Option<(Header, usize)>, Violation> {
        if self.length == 0
            && let Some(whole) = Header::read(bytes, from_client)?
        {
            return Ok(Some(whole));
        }
        for (at, &byte) in bytes.iter().enumerate() {
            if let Some(place) = self.bytes.get_mut(usize::from(self.length)) {
                *place = byte;
                self.length += 1;
            }
            let so_far = self.bytes.get(..self.len()).unwrap_or_default();
            if let Some((header, _)) = Header::read(so_far, from_client)? {
                self.length = 0;
                return Ok(Some((header, at + 1)));
            }
        }
        Ok(None)
    }
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
