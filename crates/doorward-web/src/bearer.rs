use doorward_types::Secret;
use http::{HeaderMap, header::AUTHORIZATION};

/// The longest value that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;

/// Why nobody can say which credential a request shows. It shows something, so it is not one without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// The header is there twice.
    #[error("the header `authorization` is there twice")]
    Twice,
    /// The header is longer than 8 KiB, or what it shows is not visible ASCII.
    #[error("the header `authorization` has a value that it cannot have")]
    Unreadable,
}

/// The credential of `Authorization: Bearer ...` (RFC 6750, section 2.1); `None` where the header is not there, or has another
/// scheme, which is meant for somebody else on the way.
///
/// # Errors
/// [`BearerError`]
pub fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, BearerError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let value = match (all.next(), all.next()) {
        (None, _) => return Ok(None),
        (Some(_), Some(_)) => return Err(BearerError::Twice),
        (Some(only), None) => only.as_bytes(),
    };
    if value.len() > LONGEST {
        return Err(BearerError::Unreadable);
    }
    match value.split_at_checked(7) {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case(b"bearer ") => {
            let credential = credential.trim_ascii();
            let is_visible = !credential.is_empty() && credential.iter().all(u8::is_ascii_graphic);
            if is_visible { Ok(Some(Secret::new(credential))) } else { Err(BearerError::Unreadable) }
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<Secret>, BearerError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        bearer(&headers)
    }

    #[test]
    fn a_credential_is_shown_once_and_in_one_piece() {
        for value in [&b"Bearer abc"[..], b"bearer abc", b"BEARER   abc "] {
            assert_eq!(read(&[value]), Ok(Some(Secret::from_text("abc"))));
        }
        for value in [&b"Bearer "[..], b"Bearer a b", b"Bearer a\xffb", &[b'x'; LONGEST + 1]] {
            assert_eq!(read(&[value]), Err(BearerError::Unreadable));
        }
        assert_eq!(read(&[b"Bearer a", b"Bearer a"]), Err(BearerError::Twice));
        assert_eq!(read(&[b"Basic a", b"Bearer a"]), Err(BearerError::Twice));
    }

    #[test]
    fn what_is_meant_for_somebody_else_is_no_credential_here() {
        for value in [&b"Basic abc"[..], b"Bearerabc", b"Bearer", b""] {
            assert_eq!(read(&[value]), Ok(None));
        }
        assert_eq!(read(&[]), Ok(None));
    }
}
