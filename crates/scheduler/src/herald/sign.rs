//! Signatures of webhooks, as the Standard Webhooks specification has them. Pure.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

/// What written secrets begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The secret that a webhook's receiver shares with us.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

/// A text that is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret cannot be used: expected `{PREFIX}` and the base64 of 24 to 64 bytes")]
pub struct NoSigningKey;

impl SigningKey {
    /// Reads a secret.
    ///
    /// # Errors
    /// When it is not `whsec_` and the base64 of 24 to 64 bytes.
    pub fn new(text: &str) -> Result<Self, NoSigningKey> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(NoSigningKey)?;
        let bytes = BASE64_STANDARD.decode(digits).map_err(|_| NoSigningKey)?;
        if !BYTES.contains(&bytes.len()) {
            return Err(NoSigningKey);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The signature of a message: of its id, the time of this attempt in seconds since 1970, and its body.
    pub fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(tag))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_specification_does() {
        let key = SigningKey::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{key:?}"), "***");
    }

    #[test]
    fn what_is_no_secret_is_not_repeated() {
        let without_prefix = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        for text in ["", without_prefix, "whsec_", "whsec_c2hvcnQ=", "whsec_no base64 at all, but long enough for it"] {
            let error = SigningKey::new(text).expect_err("is refused");
            assert_eq!(
                error.to_string(),
                "the secret cannot be used: expected `whsec_` and the base64 of 24 to 64 bytes"
            );
        }
    }
}
