//! Where alarms to the data protection officer go: an address that takes JSON, a mail server, or both.

use super::StoreError;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// What rings: it is tried again by the caller until it was heard everywhere.
#[derive(Debug, Clone, Default)]
pub struct Bell {
    webhook: Option<Webhook>,
    mail: Option<Mail>,
}

/// What an alarm says: ids and codes, nothing of the case.
#[derive(Debug, Clone)]
pub struct Ring {
    /// Its id: the same each time it is tried.
    pub id: Uuid,
    /// A line for people.
    pub subject: String,
    /// The words for people, in both languages.
    pub text: String,
    /// The same for machines.
    pub json: Value,
}

/// A mail server, and who writes to whom.
#[derive(Debug, Clone, Default)]
pub struct MailSettings {
    /// `smtps://HOST[:PORT]`, `smtp://HOST[:PORT]` (which then must offer STARTTLS), or, within one machine,
    /// `smtp://127.0.0.1:PORT` without TLS.
    pub server: String,
    /// Who writes.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Name and password, where the server asks for them.
    pub credentials: Option<(String, String)>,
}

const PATIENCE: Duration = Duration::from_secs(15);

impl Bell {
    /// The same with an `https` (or, within one machine, `http`) address that takes JSON. `authorities` are PEM certificates
    /// to trust beside those of the system.
    ///
    /// # Errors
    /// [`StoreError::Setting`] when no client can be made.
    pub fn with_webhook(mut self, url: &str, authorities: Option<&str>) -> Result<Self, StoreError> {
        let wrong = |_| setting("oversight.alarm-ca", "holds no certificates in PEM");
        let mut client =
            reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = authorities {
            let trusted = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(wrong)?;
            client = client.tls_certs_merge(trusted);
        }
        let client =
            client.build().map_err(|_| setting("oversight.alarm-webhook", "no client can be made for it"))?;
        self.webhook = Some(Webhook { client, url: url.to_owned() });
        Ok(self)
    }

    /// The same with a mail server.
    ///
    /// # Errors
    /// [`StoreError::Setting`] names the setting that cannot be used.
    pub fn with_mail(mut self, set: &MailSettings, authorities: Option<&str>) -> Result<Self, StoreError> {
        self.mail = Some(Mail::new(set, authorities)?);
        Ok(self)
    }

    /// Whether it rings anywhere.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.webhook.is_none() && self.mail.is_none()
    }

    /// Rings everywhere; whether it was taken everywhere. What went wrong is logged, without what was said.
    pub async fn ring(&self, ring: &Ring) -> bool {
        let posted = match &self.webhook {
            Some(webhook) => webhook.post(ring).await,
            None => true,
        };
        let mailed = match &self.mail {
            Some(mail) => mail.send(ring).await,
            None => true,
        };
        posted && mailed && !self.is_silent()
    }
}

fn setting(field: &'static str, why: &str) -> StoreError {
    StoreError::Setting { field, why: why.to_owned() }
}

#[derive(Debug, Clone)]
struct Webhook {
    client: reqwest::Client,
    url: String,
}

impl Webhook {
    async fn post(&self, ring: &Ring) -> bool {
        let sent = self.client.post(&self.url).json(&ring.json).send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }
}

#[derive(Clone)]
struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Mailbox,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

/// Ports of mail submission: with TLS from the first byte (RFC 8314), and with STARTTLS.
const PORTS: (u16, u16) = (465, 587);

impl Mail {
    fn new(set: &MailSettings, authorities: Option<&str>) -> Result<Self, StoreError> {
        let mailbox = |field, text: &str| {
            text.parse::<Mailbox>().map_err(|_| setting(field, "is no address such as fg@ministerie.example"))
        };
        let server = |why| setting("oversight.alarm-smtp", why);
        let (wrapped, rest) = match set.server.split_once("://") {
            Some(("smtps", rest)) => (true, rest),
            Some(("smtp", rest)) => (false, rest),
            _ => return Err(server("must begin with smtps:// or smtp://")),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => {
                (host, port.parse::<u16>().map_err(|_| server("has a port that is no number"))?)
            }
            None => (rest, if wrapped { PORTS.0 } else { PORTS.1 }),
        };
        let within = matches!(host, "127.0.0.1" | "localhost");
        let tls = if within && !wrapped {
            Tls::None
        } else {
            let mut parameters = TlsParameters::builder(host.to_owned());
            if let Some(pem) = authorities {
                let trusted = Certificate::from_pem(pem.as_bytes())
                    .map_err(|_| setting("oversight.alarm-ca", "holds no certificate in PEM"))?;
                parameters = parameters.add_root_certificate(trusted);
            }
            let parameters = parameters.build_rustls().map_err(|_| server("no TLS can be made for it"))?;
            if wrapped { Tls::Wrapper(parameters) } else { Tls::Required(parameters) }
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((name, password)) = &set.credentials {
            transport = transport.credentials(Credentials::new(name.clone(), password.clone()));
        }
        Ok(Self {
            transport: transport.build(),
            from: mailbox("oversight.alarm-from", &set.from)?,
            to: mailbox("oversight.alarm-to", &set.to)?,
        })
    }

    async fn send(&self, ring: &Ring) -> bool {
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(ring.subject.clone())
            // The same each time it is tried, so that a mail that came twice is seen to be one.
            .message_id(Some(format!("<{}@{domain}>", ring.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(ring.text.clone());
        match message {
            Ok(message) => self.transport.send(message).await.is_ok(),
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(server: &str) -> MailSettings {
        MailSettings {
            server: server.to_owned(),
            from: "knik@ministerie.example".to_owned(),
            to: "FG <fg@ministerie.example>".to_owned(),
            credentials: None,
        }
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        for (settings, field) in [
            (set("mail.example"), "oversight.alarm-smtp"),
            (set("http://mail.example"), "oversight.alarm-smtp"),
            (set("smtp://mail.example:x"), "oversight.alarm-smtp"),
            (MailSettings { to: "fg".to_owned(), ..set("smtp://127.0.0.1:25") }, "oversight.alarm-to"),
            (MailSettings { from: String::new(), ..set("smtp://127.0.0.1:25") }, "oversight.alarm-from"),
        ] {
            let error = Bell::default().with_mail(&settings, None).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
        assert!(!Bell::default().with_mail(&set("smtp://127.0.0.1:25"), None).unwrap().is_silent());
    }

    #[tokio::test]
    async fn a_bell_without_a_place_to_ring_is_never_heard() {
        let ring = Ring { id: Uuid::nil(), subject: String::new(), text: String::new(), json: Value::Null };
        assert!(!Bell::default().ring(&ring).await);
    }
}
