use unicode_normalization::UnicodeNormalization;

/// The form in which two texts are the same when a person would call them so: NFKC, and without case.
///
/// Case goes by lower, upper and lower again for each character, which is Unicode's full case folding and a little more
/// (`ı` is `i`): what falls together cannot be told apart, and that is the safe side for a name. A second round brings back
/// to NFKC what folding took apart.
pub(super) fn folded(text: &str) -> String {
    let fold = |text: String| -> String {
        text.chars()
            .flat_map(char::to_lowercase)
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .nfkc()
            .collect()
    };
    fold(fold(text.nfkc().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_folded_to_the_end() {
        // All planes that have letters with a case, without the ideographs and the syllables of Hangul.
        let cased = (0..0x3400).chain(0xA000..0xAC00).chain(0xD7A4..0x2_0000).chain(0xE_0000..0xE_0200);
        for c in cased.filter_map(char::from_u32) {
            let once = folded(&c.to_string());
            assert_eq!(folded(&once), once, "U+{:04X}", u32::from(c));
            for cased in [c.to_lowercase().to_string(), c.to_uppercase().to_string()] {
                assert_eq!(folded(&cased), once, "the case of U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn what_a_person_calls_the_same_is_the_same() {
        for (one, other) in [
            ("Straße", "STRASSE"),
            ("straẞe", "strasse"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("\u{FF22}ob", "bob"),
            ("ﬁsh", "FISH"),
            ("Å", "a\u{30A}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
    }
}
