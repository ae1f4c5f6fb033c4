use super::Violation;

/// Checks text that arrives in pieces, and refuses it at the first byte that no text can have at that place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Utf8 {
    /// The bytes so far of a character that is not whole yet.
    begun: [u8; 4],
    length: u8,
}

impl Utf8 {
    /// Takes the next piece.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<(), Violation> {
        while self.length > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            piece = rest;
            self.keep(byte)?;
            let begun = self.begun.get(..self.length.into()).unwrap_or_default();
            match std::str::from_utf8(begun) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_some() => return Err(Violation::TextNotUtf8),
                Err(_) => {}
            }
        }
        match std::str::from_utf8(piece) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(Violation::TextNotUtf8),
            Err(error) => piece.iter().skip(error.valid_up_to()).try_for_each(|&byte| self.keep(byte)),
        }
    }

    /// Takes the end of the text, which must be the end of a character.
    pub(super) fn finish(&self) -> Result<(), Violation> {
        if self.length == 0 { Ok(()) } else { Err(Violation::TextNotUtf8) }
    }

    fn keep(&mut self, byte: u8) -> Result<(), Violation> {
        let place = self.begun.get_mut(usize::from(self.length)).ok_or(Violation::TextNotUtf8)?;
        *place = byte;
        self.length += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_refused(bytes: &[u8]) -> Option<usize> {
        let mut utf8 = Utf8::default();
        bytes.iter().position(|byte| utf8.push(&[*byte]).is_err())
    }

    #[test]
    fn text_in_any_two_pieces_is_text() {
        let text = "aß水🚪z";
        for cut in 0..=text.len() {
            let mut utf8 = Utf8::default();
            let (head, tail) = text.as_bytes().split_at(cut);
            assert_eq!(
                utf8.push(head).and_then(|()| utf8.push(tail)).and_then(|()| utf8.finish()),
                Ok(()),
                "cut {cut}"
            );
        }
    }

    #[test]
    fn the_first_impossible_byte_is_refused_at_once() {
        assert_eq!(first_refused(b"ab\xff"), Some(2), "never a byte of UTF-8");
        assert_eq!(first_refused(b"\xc0\x80"), Some(0), "an overlong NUL");
        assert_eq!(first_refused(b"\xe0\x80\x80"), Some(1), "an overlong character of three bytes");
        assert_eq!(first_refused(b"\xed\xa0\x80"), Some(1), "a surrogate");
        assert_eq!(first_refused(b"\xf4\x90\x80\x80"), Some(1), "beyond U+10FFFF");
        assert_eq!(first_refused(b"\xf0\x9f\x9aA"), Some(3), "a character broken off");
    }

    #[test]
    fn half_a_character_at_the_end_is_not_text() {
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.push(b"\xf0\x9f"), Ok(()));
        assert_eq!(utf8.finish(), Err(Violation::TextNotUtf8));
    }
}
