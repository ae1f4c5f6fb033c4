//! The certificate that the public port shows, and its key: two files in PEM become what TLS is served with.
//!
//! ```text
//!  cert_file ─▶ chain, the server's own first ─▶ readable? of today? for servers? ─┐
//!  key_file ──▶ PKCS#8, PKCS#1 or SEC1 ─▶ readable? ────────────────────────────────┴─▶ do they fit? ─▶ ServerConfig
//! ```
//!
//! Whether clients trust the certificate, and for which names, is between its issuer and them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use doorward_auth::settings::ReadSecret;
use doorward_types::{Secret, Timestamp};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{
        CertificateDer, PrivateKeyDer, UnixTime,
        pem::{self, PemObject},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};
use webpki::{EndEntityCert, KeyUsage};

use crate::config::TlsFiles;

/// What is spoken within TLS (ALPN): WebSockets are opened by HTTP/1.1 here.
const PROTOCOL: &[u8] = b"http/1.1";

/// A file that TLS cannot be served with.
#[derive(Debug, thiserror::Error)]
#[error("`[server] tls`: {key} `{path}`: {why}", path = .path.display())]
pub struct UnusableTls {
    /// Which of the two it is: `cert_file` or `key_file`.
    pub key: &'static str,
    /// The file, as the configuration names it.
    pub path: PathBuf,
    /// Why it cannot be used.
    pub why: Unusable,
}

/// Why a file cannot be used for TLS; after the semicolon: what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// The file cannot be read, or must not be.
    #[error("{0}")]
    Unread(String),
    /// What stands in it is cut off or damaged.
    #[error("this is no PEM: {0}; each part stands between `-----BEGIN ...-----` and `-----END ...-----`")]
    Pem(String),
    /// There is no certificate in it.
    #[error(
        "it holds no certificate; it begins with `-----BEGIN CERTIFICATE-----`, and a tool like certbot calls it `fullchain.pem`"
    )]
    NoCertificate,
    /// The first certificate in it is none.
    #[error("its first certificate cannot be read ({0}); take the file as its issuer made it")]
    Certificate(webpki::Error),
    /// The certificate is not valid any more.
    #[error("the certificate has expired on {0}; renew it")]
    Expired(Timestamp),
    /// The certificate is not valid yet.
    #[error("the certificate is valid only from {0} on; look at the clock of this machine, or take the one before")]
    NotYet(Timestamp),
    /// The certificate is one for clients, or for something else.
    #[error("the certificate is not for servers; its extended key usage has to list `serverAuth`")]
    NotForServers,
    /// There is no private key in it.
    #[error(
        "it holds no private key; it begins with `-----BEGIN PRIVATE KEY-----`, and a tool like certbot calls it `privkey.pem`"
    )]
    NoKey,
    /// The key is behind a passphrase, which nobody types at a server.
    #[error(
        "the key in it is encrypted; write it without a passphrase: `openssl pkey -in OLD -out NEW`, then `chmod 600 NEW`"
    )]
    Encrypted,
    /// The key is of a kind, or of a size, that is not supported.
    #[error("the key in it cannot be used; take RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519")]
    Key,
    /// The key is not that of the certificate.
    #[error(
        "it is not the key of the certificate in `{cert_file}`; name the two that were made together, and let the server's own certificate be the first of its file",
        cert_file = .cert_file.display()
    )]
    OfAnother {
        /// The other file.
        cert_file: PathBuf,
    },
}

/// What TLS is served with, at that time.
///
/// # Errors
/// [`UnusableTls`]: the file that has to change, and why. If both have to, the certificate.
pub fn server_config(files: &TlsFiles, read: ReadSecret<'_>, now: Timestamp) -> Result<Arc<ServerConfig>, UnusableTls> {
    let provider = aws_lc_rs::default_provider();
    let wrong_certificate = |why| UnusableTls { key: "cert_file", path: files.cert_file.clone(), why };
    let wrong_key = |why| UnusableTls { key: "key_file", path: files.key_file.clone(), why };
    let chain = chain(&files.cert_file, read).map_err(wrong_certificate)?;
    check(&chain, now).map_err(wrong_certificate)?;
    let key = private_key(&files.key_file, read).map_err(wrong_key)?;
    let key = provider.key_provider.load_private_key(key).map_err(|_| wrong_key(Unusable::Key))?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|_| wrong_key(Unusable::OfAnother { cert_file: files.cert_file.clone() }))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong_key(Unusable::Key))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

fn chain(path: &Path, read: ReadSecret<'_>) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let text = read(path).map_err(Unusable::Unread)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.reveal("a certificate is public")).collect();
    match chain.map_err(|error| Unusable::Pem(said(&error)))? {
        chain if chain.is_empty() => Err(Unusable::NoCertificate),
        chain => Ok(chain),
    }
}

/// Looks at what is wrong with a certificate whoever has issued it.
fn check(chain: &[CertificateDer<'static>], now: Timestamp) -> Result<(), Unusable> {
    let own = chain.first().ok_or(Unusable::NoCertificate)?;
    let own = EndEntityCert::try_from(own).map_err(Unusable::Certificate)?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()));
    let at = |time: UnixTime| Timestamp::from_secs(time.as_secs());
    // Nobody is trusted, so it is never trusted: what is wrong with the certificate itself is told before that.
    match own.verify_for_usage(&[], &[], &[], now, KeyUsage::server_auth(), None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => Err(Unusable::Expired(at(not_after))),
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => Err(Unusable::NotYet(at(not_before))),
        Err(webpki::Error::RequiredEkuNotFoundContext(_)) => Err(Unusable::NotForServers),
        _ => Ok(()),
    }
}

fn private_key(path: &Path, read: ReadSecret<'_>) -> Result<PrivateKeyDer<'static>, Unusable> {
    let text: Secret = read(path).map_err(Unusable::Unread)?;
    let text = text.reveal("the key of the certificate is read out of it");
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound if contains(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") => Unusable::Encrypted,
        pem::Error::NoItemsFound => Unusable::NoKey,
        error => Unusable::Pem(said(&error)),
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What is wrong with a PEM file, without a line of it: it may be one of a key.
fn said(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a part of it has no end".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a part of it has no proper beginning".to_owned(),
        _ => "a part of it is not base64".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_312_386);

    /// A certificate for that key, in PEM.
    fn self_signed(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = CertificateParams::new(vec!["gate.example".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
        change(&mut params);
        params.self_signed(key).unwrap().pem()
    }

    fn made(change: impl FnOnce(&mut CertificateParams)) -> (String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (self_signed(&key, change), key)
    }

    /// What is said of a certificate and a key in files of these contents.
    fn said_of(certificate: &str, key: &str) -> Result<(), String> {
        let files = TlsFiles { cert_file: "cert.pem".into(), key_file: "key.pem".into() };
        let read = |path: &Path| {
            Ok(Secret::from_text(if path == files.cert_file { certificate.to_owned() } else { key.to_owned() }))
        };
        server_config(&files, &read, NOW).map(drop).map_err(|unusable| unusable.to_string())
    }

    fn assert_said(certificate: &str, key: &str, what: &str) {
        let said = said_of(certificate, key).unwrap_err();
        assert!(said.contains(what), "{said}");
        assert!(said.contains("; "), "it says what would be right: {said}");
    }

    #[test]
    fn a_chain_and_its_key_are_served_with_http_1_1_within() {
        let ((certificate, key), (issuer, _)) = (made(|_| ()), made(|_| ()));
        let files = TlsFiles { cert_file: "cert.pem".into(), key_file: "key.pem".into() };
        let chain = format!("subject=gate.example\n{certificate}{issuer}");
        let read = |path: &Path| {
            Ok(Secret::from_text(if path == files.cert_file { chain.clone() } else { key.serialize_pem() }))
        };
        let config = server_config(&files, &read, NOW).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }

    #[test]
    fn keys_are_read_in_each_of_their_three_forms() {
        let rsa = include_str!("../tests/tls/rsa-pkcs8-key.pem");
        let elliptic = include_str!("../tests/tls/ec-sec1-key.pem");
        for (of, key) in [(rsa, rsa), (rsa, include_str!("../tests/tls/rsa-pkcs1-key.pem")), (elliptic, elliptic)] {
            let alone = of.split_inclusive("END EC PARAMETERS-----\n").last().unwrap();
            let certificate = self_signed(&KeyPair::from_pem(alone).unwrap(), |_| ());
            assert_eq!(said_of(&certificate, key), Ok(()));
        }
    }

    #[test]
    fn a_certificate_that_nobody_could_use_is_told_with_what_would_be_right() {
        let (good, key) = made(|_| ());
        let key = key.serialize_pem();
        assert_said("", &key, "cert_file `cert.pem`: it holds no certificate");
        assert_said(&key, &key, "it holds no certificate");
        assert_said(good.split("-----END").next().unwrap(), &key, "no PEM: a part of it has no end");
        assert_said("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &key, "cannot be read (");
        let of = |from, to| made(|params| (params.not_before, params.not_after) = (from, to));
        let (past, key) = of(date_time_ymd(2025, 1, 1), date_time_ymd(2025, 4, 1));
        assert_said(&past, &key.serialize_pem(), "expired on 2025-04-01T00:00:00.000Z");
        let (future, key) = of(date_time_ymd(2030, 1, 1), date_time_ymd(2031, 1, 1));
        assert_said(&future, &key.serialize_pem(), "valid only from 2030-01-01T00:00:00.000Z on");
        let (client, key) = made(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
        assert_said(&client, &key.serialize_pem(), "not for servers");
    }

    #[test]
    fn a_key_that_is_none_or_of_another_certificate_is_told_with_what_would_be_right_and_never_shown() {
        let ((certificate, key), (_, other)) = (made(|_| ()), made(|_| ()));
        assert_said(&certificate, "", "key_file `key.pem`: it holds no private key");
        assert_said(&certificate, &certificate, "it holds no private key");
        assert_said(&certificate, &other.serialize_pem(), "not the key of the certificate in `cert.pem`");
        let encrypted = key.serialize_pem().replace("PRIVATE", "ENCRYPTED PRIVATE");
        assert_said(&certificate, &encrypted, "it is encrypted; write it without".trim_start_matches("it is "));
        let damaged = key.serialize_pem().replace('M', "*");
        let said = said_of(&certificate, &damaged).unwrap_err();
        let line = damaged.lines().nth(1).unwrap();
        assert!(said.contains("not base64") && !said.contains(line), "{said}");
        assert_said(&certificate, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be used");
    }
}
