/// Where the innermost array or inline table begins that is still open at the end of this piece of TOML.
pub(super) fn opened(text: &str) -> Option<usize> {
    let (mut open, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => string(rest, first),
            _ => first.len_utf8(),
        };
        match first {
            '[' | '{' => open.push(text.len() - rest.len()),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    open.pop()
}

/// How long the string is that a text begins with.
fn string(text: &str, quote: char) -> usize {
    let triple = String::from(quote).repeat(3);
    let end = if text.starts_with(&triple) { triple.as_str() } else { &triple[..1] };
    let mut at = end.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(end) {
            return at + end.len();
        }
        let escaped = quote == '"' && rest.starts_with('\\');
        at += rest.chars().take(1 + usize::from(escaped)).map(char::len_utf8).sum::<usize>();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_bracket_that_is_still_open_is_found() {
        assert_eq!(opened("a = [1, { b = 2 }"), Some(4));
        assert_eq!(opened("a = [1, { b = 2"), Some(8));
        assert_eq!(opened("[[gate]]\na = [1]\n"), None);
    }

    #[test]
    fn brackets_in_strings_and_comments_are_none() {
        assert_eq!(opened(r#"a = ["[\"[", '{\', """["{""", # ["#), Some(4));
        assert_eq!(opened("a = \"[é{\" # [\nb = ']'"), None);
    }
}
