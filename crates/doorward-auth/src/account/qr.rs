use doorward_types::Secret;
use fast_qr::{ECL, QRBuilder, QRCode};

/// How many light modules there are around the picture (ISO/IEC 18004).
const QUIET: usize = 4;

/// A text as a picture that a phone reads. It shows what the text says, so both drawings are secrets where the text is one.
pub struct QrPicture(QRCode);

/// A text does not fit into any QR picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long for a QR picture")]
pub struct NoQr;

impl QrPicture {
    /// The picture of that text, with correction `M`: a seventh of it may be unreadable.
    pub fn of(text: &Secret) -> Result<Self, NoQr> {
        QRBuilder::new(text.reveal("to draw it")).ecl(ECL::M).build().map(Self).map_err(|_| NoQr)
    }

    /// As an SVG picture, black on white, one path, without a style of its own.
    pub fn svg(&self) -> Secret {
        let size = self.0.size + 2 * QUIET;
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges" role="img"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d=""##
        );
        for y in 0..size {
            for x in (0..size).filter(|x| self.is_dark(*x, y)) {
                svg.push_str(&format!("M{x} {y}h1v1h-1z"));
            }
        }
        svg.push_str(r#""/></svg>"#);
        Secret::from_text(svg)
    }

    /// As text for a terminal: two rows of the picture to a line, light on dark whatever the terminal's colours are.
    pub fn terminal(&self) -> Secret {
        let size = self.0.size + 2 * QUIET;
        let mut text = String::new();
        for y in (0..size).step_by(2) {
            // White on black, as colours of 24 bits: those of a theme may be anything.
            text.push_str("\x1b[38;2;255;255;255;48;2;0;0;0m");
            for x in 0..size {
                text.push(match (self.is_dark(x, y), y + 1 >= size || self.is_dark(x, y + 1)) {
                    (true, true) => ' ',
                    (true, false) => '▄',
                    (false, true) => '▀',
                    (false, false) => '█',
                });
            }
            text.push_str("\x1b[0m\n");
        }
        Secret::from_text(text)
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = QUIET..QUIET + self.0.size;
        inside.contains(&x) && inside.contains(&y) && self.0[y - QUIET][x - QUIET].value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_drawings_show_the_same_modules() {
        let picture = QrPicture::of(&Secret::from_text("otpauth://totp/Shop:bob?secret=ABC")).unwrap();
        let (svg, text) = (picture.svg(), picture.terminal());
        let (svg, text) = (svg.reveal_text("test").unwrap(), text.reveal_text("test").unwrap());
        let size = picture.0.size + 2 * QUIET;
        let lines: Vec<Vec<char>> = text
            .lines()
            .map(|line| {
                line.trim_start_matches("\x1b[38;2;255;255;255;48;2;0;0;0m")
                    .trim_end_matches("\x1b[0m")
                    .chars()
                    .collect()
            })
            .collect();
        for y in 0..size {
            assert_eq!(lines[y / 2].len(), size);
            for (x, character) in lines[y / 2].iter().enumerate() {
                let dark = match character {
                    ' ' => true,
                    '▄' => y % 2 == 0,
                    '▀' => y % 2 == 1,
                    _ => false,
                };
                assert_eq!(svg.contains(&format!("M{x} {y}h1")), dark, "{x} {y}");
                assert!(!dark || (QUIET..size - QUIET).contains(&x), "the border is light");
            }
        }
        // The corner of a finder pattern.
        assert!(svg.contains("M4 4h1v1h-1z") && !svg.contains("M5 5h1"));
    }

    #[test]
    fn a_text_that_fits_into_no_picture_is_refused() {
        assert_eq!(QrPicture::of(&Secret::from_text("x".repeat(4000))).err(), Some(NoQr));
    }
}
