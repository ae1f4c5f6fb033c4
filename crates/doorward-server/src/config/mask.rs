use super::nearest::nearest;

/// The keys whose values are never shown. What is called nearly so counts too: a typing mistake is no reason to show a secret.
const SECRET: [&str; 4] = ["secret", "password", "words", "answers"];

/// Whether the value of this key must not be shown.
pub(super) fn is_secret(key: &str) -> bool {
    nearest(&key.to_lowercase(), SECRET).is_some()
}

/// A line with stars in place of secrets: values of keys that hold one, and what stands before the `@` of a URL. It keeps its
/// length, so that what is underlined stays where it is.
pub(super) fn masked(line: &str) -> String {
    let mut letters: Vec<char> = line.chars().collect();
    for at in 0..letters.len() {
        if letters[at] == '=' && is_secret(&key_before(&letters[..at])) {
            mask_value(&mut letters[at + 1..]);
        }
        if letters[at..].starts_with(&[':', '/', '/']) {
            mask_user(&mut letters[at + 3..]);
        }
    }
    letters.into_iter().collect()
}

/// The last part of the key that ends here.
fn key_before(letters: &[char]) -> String {
    let key: String =
        letters.iter().rev().skip_while(|c| c.is_whitespace()).take_while(|c| !" \t,{.".contains(**c)).collect();
    key.trim_matches(['"', '\'']).chars().rev().collect()
}

fn mask_value(letters: &mut [char]) {
    let Some(start) = letters.iter().position(|c| !c.is_whitespace()) else { return };
    let quote = Some(letters[start]).filter(|c| matches!(c, '"' | '\''));
    if letters[start] == '[' {
        let end = letters.iter().position(|c| *c == ']').unwrap_or(letters.len());
        return letters[start + 1..end].fill('*');
    }
    let quotes = letters[start..].iter().take(3).take_while(|c| Some(**c) == quote).count();
    // Two quotes are an empty text, three begin one of several lines.
    let opening = if quotes == 3 { 3 } else { quotes.min(1) };
    let mut escaped = false;
    for letter in &mut letters[start + opening..] {
        let ends = match quote {
            Some(quote) => *letter == quote && !escaped,
            None => matches!(letter, ',' | '}' | ' '),
        };
        if ends {
            return;
        }
        escaped = quote == Some('"') && *letter == '\\' && !escaped;
        *letter = '*';
    }
}

/// A password may hold anything, and the URL may be written wrongly: everything up to the last `@` counts.
fn mask_user(letters: &mut [char]) {
    let end = letters.iter().position(|c| "\"'`".contains(*c)).unwrap_or(letters.len());
    if let Some(at) = letters[..end].iter().rposition(|c| *c == '@') {
        letters[..at].fill('*');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_stars_and_its_file_is_not() {
        assert_eq!(masked("secret = \"hunter2\" # mine"), "secret = \"*******\" # mine");
        assert_eq!(masked("a = { secert='x', digits=6 }"), "a = { secert='*', digits=6 }");
        assert_eq!(masked("a.\"secret\" = \"a\\\"b\", b = 1"), "a.\"secret\" = \"****\", b = 1");
        assert_eq!(masked("secret = hunter2"), "secret = *******");
        assert_eq!(masked("secret =\"\"\"hunter2"), "secret =\"\"\"*******");
        assert_eq!(masked("answers = [\"a\", \"b\"], x = 1"), "answers = [********], x = 1");
        assert_eq!(masked("secret_file = \"site.secret\""), "secret_file = \"site.secret\"");
    }

    #[test]
    fn a_url_does_not_show_who_and_with_what_password() {
        assert_eq!(masked("url = \"postgres://me:pw@db/x\""), "url = \"postgres://*****@db/x\"");
        assert_eq!(masked("'ws://me:p w/@x@db' # a@b"), "'ws://*********@db' # a@b");
        assert_eq!(masked("url = \"wss://host/a\" # a@b"), "url = \"wss://host/a\" # a@b");
    }
}
