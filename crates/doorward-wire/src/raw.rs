//! What can be asked of one JSON value as the text that it was written in, without reading it into something else.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The value of a JSON string; `None` for any other JSON, and for a string that is not Unicode.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(value.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The digits of a JSON integer, as they were written; `None` for any other JSON.
pub(crate) fn integer(value: &RawValue) -> Option<&str> {
    let digits = value.get().strip_prefix('-').unwrap_or(value.get());
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| value.get())
}

/// How many arrays and objects lie within each other at the deepest place.
pub(crate) fn depth(value: &RawValue) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut outside = value.get();
    loop {
        let (before, string) =
            outside.split_once('"').map_or((outside, None), |(before, string)| (before, Some(string)));
        for byte in before.bytes() {
            match byte {
                b'[' | b'{' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        match string {
            Some(string) => outside = behind(string),
            None => return deepest,
        }
    }
}

/// What comes behind a string of which the first quotation mark was read.
fn behind(string: &str) -> &str {
    let mut from = 0;
    while let Some((inside, after)) = string.get(from..).and_then(|rest| rest.split_once('"')) {
        let backslashes = inside.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 {
            return after;
        }
        from += inside.len() + 1;
    }
    ""
}

/// Whether an escape stands for one half of a surrogate pair without the other (RFC 8259, section 8.2).
pub(crate) fn has_half_a_character(value: &RawValue) -> bool {
    let mut rest = value.get();
    // A backslash stands in strings alone, and what follows it was checked by the parser.
    while let Some((_, escape)) = rest.split_once('\\') {
        rest = match (unit(escape), escape.get(1..)) {
            (None, Some(after)) => after,
            (Some((0xd800..=0xdbff, after)), _) => match after.strip_prefix('\\').and_then(unit) {
                Some((0xdc00..=0xdfff, after)) => after,
                _ => return true,
            },
            (Some((0xdc00..=0xdfff, _)), _) => return true,
            (Some((_, after)), _) => after,
            (None, None) => return false,
        };
    }
    false
}

/// The UTF-16 unit of an escape `uXXXX`, and what comes after it.
fn unit(escape: &str) -> Option<(u16, &str)> {
    let (digits, after) = escape.strip_prefix('u')?.split_at_checked(4)?;
    Some((u16::from_str_radix(digits, 16).ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn brackets_in_strings_are_not_nesting() {
        assert_eq!(depth(raw(r#"{"a[[[":["]]]",{"\"[":[]}]}"#)), 4);
        assert_eq!(depth(raw(r#"[["\\\\",["\\\"["]],"",{}]"#)), 3);
        assert_eq!(depth(raw(r#""[[[\\\"[\"[""#)), 0);
        assert_eq!(depth(raw("1")), 0);
    }

    #[test]
    fn a_character_is_half_where_its_other_half_is_not_right_beside_it() {
        for text in [
            r#""\ud83d""#,
            r#""\uDE00""#,
            r#""\ude00\ud83d""#,
            r#""\ud83d \ude00""#,
            r#""\ud83d\ud83d\ude00""#,
            r#""\ud83d\n""#,
            r#""\ud83dx""#,
            r#""\\\ud83d""#,
            r#"[1,{"\udfff":""}]"#,
            r#"["\ud83d\ude00","\ud800"]"#,
        ] {
            assert!(has_half_a_character(raw(text)), "{text}");
        }
        for text in [
            r#""\ud83d\uDE00""#,
            r#""\\ud83d""#,
            r#""\u0000\ud7ff\ue000\uffff""#,
            r#""\"\\""#,
            r#""😀\n😀""#,
            "{}",
            "1",
        ] {
            assert!(!has_half_a_character(raw(text)), "{text}");
        }
    }

    #[test]
    fn an_integer_is_digits_and_nothing_else() {
        for text in ["0", "-1", "123456789012345678901234567890"] {
            assert_eq!(integer(raw(text)), Some(text));
        }
        for text in ["1.0", "1e3", "\"1\"", "true", "null", "[1]"] {
            assert_eq!(integer(raw(text)), None, "{text}");
        }
    }
}
