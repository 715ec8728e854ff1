//! Where the server is, and who asks: a URL that never shows its password.

use std::fmt::{self, Debug, Display, Formatter};

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;

use super::limits::HEARTBEAT_S;
use crate::queue::QueueError;

/// The address of a server. It prints without user and password.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) uri: AMQPUri,
    /// Certificates to trust beside the machine's, as PEM.
    ca_pem: Option<String>,
}

impl Address {
    /// Reads `amqp://user:password@host:port/vhost`, or `amqps` for TLS.
    pub(super) fn parse(url: &str, ca_pem: Option<String>) -> Result<Self, QueueError> {
        // The parser's own message would show the whole URL.
        let refused = |what: &str| QueueError::Refused {
            reason: format!("{what}: write it as amqp://user:password@host:5672/vhost, or with amqps:// for TLS"),
        };
        let mut uri: AMQPUri = url.parse().map_err(|_| refused("the address cannot be read"))?;
        let (_, after_scheme) = url.split_once("://").ok_or_else(|| refused("the address has no scheme"))?;
        let host = after_scheme.rsplit('@').next().unwrap_or_default();
        if host.starts_with('[') {
            // The parser takes such a host for none, and none for this machine.
            return Err(refused("an IPv6 host must be given by name"));
        }
        if uri.vhost.is_empty() {
            "/".clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        Ok(Self { uri, ca_pem })
    }

    pub(super) fn tls(&self) -> OwnedTLSConfig {
        OwnedTLSConfig { identity: None, cert_chain: self.ca_pem.clone() }
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.uri;
        write!(f, "{scheme}://{}:{} (virtual host `{vhost}`)", authority.host, authority.port)
    }
}

impl Debug for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_printed_without_its_password() {
        for (url, printed) in [
            ("amqp://user:hush@host:5/%2f", "amqp://host:5 (virtual host `/`)"),
            ("amqp://user:hush@host", "amqp://host:5672 (virtual host `/`)"),
            ("amqp://user:hush@host/", "amqp://host:5672 (virtual host `/`)"),
            ("amqps://user:hush@host/mill", "amqps://host:5671 (virtual host `mill`)"),
        ] {
            let address = Address::parse(url, None).expect("is an address");
            assert_eq!(format!("{address}"), printed);
            assert_eq!(format!("{address:?}"), printed);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for url in
            ["", "host", "http://user:hush@host", "amqp:hush", "amqp://user:hush@[::1]:5672/", "amqp://u:hush@h:x"]
        {
            let Err(QueueError::Refused { reason }) = Address::parse(url, None) else { panic!("{url} is taken") };
            assert!(!reason.contains("hush"), "{reason}");
        }
    }
}
