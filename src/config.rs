//! Text and environment to a checked [`Config`]. Reads no file and no environment itself: `cli` does.
//!
//! `docs/knik.sample.toml` names every field with its default; a test holds the two together.

mod issuers;
mod machines;

pub use issuers::{ClaimPaths, Issuer, Relaxation};
pub use machines::{CertificateName, Machine};

use crate::model::Platform;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a configuration is refused. Names field and mend; secrets do not stand in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown field, or a value of the wrong kind.
    #[error("configuration: {0}")]
    Text(String),
    /// An environment variable that names no field.
    #[error(
        "environment variable `{name}` names no field; write `KNIK_SECTION__FIELD`, such as KNIK_VAULT__LISTEN"
    )]
    Variable {
        /// Which variable.
        name: String,
    },
    /// A value that is of the right kind but cannot be meant.
    #[error("configuration: `{field}` {problem}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What is wrong, and the mend.
        problem: String,
    },
}

/// Everything that can be set. Paths are relative to the data folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// Name of this installation, a host name: the origins of its two logs begin with it.
    pub name: String,
    /// The archive plane.
    pub vault: Vault,
    /// The access plane.
    pub reading_room: ReadingRoom,
    /// What is taken in.
    pub ingest: Ingest,
    /// Master keys.
    pub keys: Keys,
    /// The ledger.
    pub ledger: Ledger,
    /// How the archive is looked after.
    pub keeping: Keeping,
    /// How the officer who checks is told.
    pub oversight: Oversight,
    /// How fast people may ask.
    pub limits: Limits,
    /// Where rules and policies are read from; built in when empty.
    pub rules: Rules,
    /// Who issues tokens.
    pub issuers: Vec<Issuer>,
    /// Machines that come with a certificate.
    pub machines: Vec<Machine>,
}

/// The archive plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Vault {
    /// Where officials, records managers and harvesters reach it.
    pub listen: SocketAddr,
    /// `sqlite` for a file in the data folder, or a `postgres://` address.
    pub database: String,
    /// PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// PEM file with the key, 0600.
    pub certificate_key: PathBuf,
    /// PEM file with the authorities that sign certificates of machines. Empty: none are asked for.
    pub client_authorities: String,
    /// PEM file with their revocation lists, one an authority.
    pub client_revoked: String,
}

/// The access plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReadingRoom {
    /// Where researchers reach it.
    pub listen: SocketAddr,
    /// `sqlite`, or the `postgres://` address under which the *vault* writes projections.
    pub database: String,
    /// `sqlite`, or the `postgres://` address under which the *vault* reads the inbox.
    pub inbox: String,
    /// On PostgreSQL: the address under which the reading room reads projections, with its own role.
    pub reader_database: String,
    /// On PostgreSQL: the address under which the reading room appends to its inbox, with its own role.
    pub reader_inbox: String,
    /// On PostgreSQL: that role; the vault grants it what it needs and no more.
    pub role: String,
    /// PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// PEM file with the key, 0600.
    pub certificate_key: PathBuf,
}

/// What is taken in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Ingest {
    /// Largest capture over HTTP, in bytes.
    pub upload_bytes_max: u64,
    /// Largest line or element of a capture, in bytes.
    pub unit_bytes_max: u64,
    /// Deepest nesting of JSON.
    pub depth_max: u64,
    /// Records in one batch: one segment, one transaction.
    pub batch_records: u64,
    /// Address space of the process that reads a capture, in bytes; 0 for what the longest unit can need.
    pub parser_memory_bytes_max: u64,
    /// Processor time that it has for each MiB of a capture, in seconds, beside a minute for any.
    pub parser_seconds_per_mib: u64,
}

impl Ingest {
    /// The address space that the process has.
    #[must_use]
    pub const fn parser_memory_bytes(&self) -> u64 {
        match self.parser_memory_bytes_max {
            0 => self.unit_bytes_max.saturating_mul(PARSER_UNITS).saturating_add(256 << 20),
            bytes => bytes,
        }
    }
}

/// How many times its own size reading a unit may take. Measured: 16, for a list of nothing but digits and commas.
const PARSER_UNITS: u64 = 48;
/// With less the process does not even start.
const PARSER_BYTES_MIN: u64 = 64 << 20;

/// Master keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Keys {
    /// `file` for key files in the data folder, or `pkcs11` for a hardware module.
    pub provider: String,
    /// Library of the hardware module.
    pub pkcs11_module: PathBuf,
    /// Label of the token in it.
    pub pkcs11_token: String,
    /// File with the PIN of the token's user, 0600.
    pub pkcs11_pin_file: PathBuf,
}

/// The ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Ledger {
    /// Folder for copies of signed checkpoints, best on another machine. Empty: none, and `knik status` warns.
    pub second_place: String,
    /// Keys of the witnesses whose cosignatures are taken in.
    pub witnesses: Vec<String>,
    /// How many of them must have cosigned a checkpoint, or `knik verify` fails.
    pub witnesses_required: u64,
    /// Address of a time-stamp authority (RFC 3161). Empty: none.
    pub tsa_url: String,
    /// PEM file with the certificates that the authority's certificate leads to.
    pub tsa_ca: String,
    /// How often checkpoints are time-stamped, in minutes.
    pub tsa_every_minutes: u64,
}

impl Ledger {
    fn check(&self) -> Result<(), ConfigError> {
        let value = |field, problem: &str| Err(ConfigError::Value { field, problem: problem.to_owned() });
        if self.witnesses_required > self.witnesses.len() as u64 {
            return value("ledger.witnesses-required", "must not be more than there are in ledger.witnesses");
        }
        let http = self.tsa_url.starts_with("http://") || self.tsa_url.starts_with("https://");
        if !self.tsa_url.is_empty() && !http {
            return value("ledger.tsa-url", "must begin with https:// or http://");
        }
        if http && self.tsa_ca.is_empty() {
            return value("ledger.tsa-ca", "must name a file when ledger.tsa-url is set");
        }
        if self.tsa_every_minutes == 0 {
            return value("ledger.tsa-every-minutes", "must be at least 1");
        }
        Ok(())
    }
}

/// How the archive is looked after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Keeping {
    /// A running service reads every segment back within so many days; 0: only `knik scrub` does.
    pub scrub_every_days: u64,
    /// `knik status` warns when the newest backup is older than so many days; 0: never.
    pub backup_every_days: u64,
}

/// How the data protection officer is told of what cannot wait.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Oversight {
    /// Address that alarms are posted to, as JSON. Empty: none, and `knik status` warns when there is an alarm.
    pub alarm_webhook: String,
    /// PEM file with certificates to trust there, and at the mail server, beside those of the system.
    pub alarm_ca: String,
    /// Mail server that alarms are sent through: `smtps://HOST[:PORT]`, or `smtp://HOST[:PORT]` with STARTTLS. Empty: none.
    pub alarm_smtp: String,
    /// Who writes these mails.
    pub alarm_from: String,
    /// To whom.
    pub alarm_to: String,
    /// Name at the mail server; empty when it asks for none.
    pub alarm_smtp_user: String,
    /// File with the password of that name.
    pub alarm_smtp_password_file: String,
}

impl Oversight {
    fn check(&self) -> Result<(), ConfigError> {
        let within = self.alarm_webhook.starts_with("http://127.0.0.1")
            || self.alarm_webhook.starts_with("http://localhost");
        if !self.alarm_webhook.is_empty() && !within && !self.alarm_webhook.starts_with("https://") {
            return Err(ConfigError::Value {
                field: "oversight.alarm-webhook",
                problem: "must begin with https://, or with http://127.0.0.1 for a relay on this machine"
                    .to_owned(),
            });
        }
        let mail = !self.alarm_smtp.is_empty();
        if mail && !self.alarm_smtp.starts_with("smtps://") && !self.alarm_smtp.starts_with("smtp://") {
            return Err(ConfigError::Value {
                field: "oversight.alarm-smtp",
                problem: "must begin with smtps:// or smtp://".to_owned(),
            });
        }
        if mail && (self.alarm_from.is_empty() || self.alarm_to.is_empty()) {
            return Err(ConfigError::Value {
                field: "oversight.alarm-to",
                problem: "a mail needs alarm-from and alarm-to".to_owned(),
            });
        }
        if !self.alarm_smtp_user.is_empty() && self.alarm_smtp_password_file.is_empty() {
            return Err(ConfigError::Value {
                field: "oversight.alarm-smtp-password-file",
                problem: "a name at the mail server goes with a file that holds its password".to_owned(),
            });
        }
        Ok(())
    }
}

/// How fast one person may ask each plane, whatever the role; 0 without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Requests in a minute.
    pub requests_per_minute: u64,
    /// Of them searches.
    pub searches_per_minute: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_minute: 1_200, searches_per_minute: 120 }
    }
}

/// Where rules and policies are read from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rules {
    /// Folder with recogniser files; built in when empty.
    pub patterns: String,
    /// Folder with trees, access policies, plans; built in when empty.
    pub policies: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "knik.example".to_owned(),
            vault: Vault::default(),
            reading_room: ReadingRoom::default(),
            ingest: Ingest::default(),
            keys: Keys::default(),
            ledger: Ledger::default(),
            keeping: Keeping::default(),
            oversight: Oversight::default(),
            limits: Limits::default(),
            rules: Rules::default(),
            issuers: Vec::new(),
            machines: Vec::new(),
        }
    }
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            database: "sqlite".to_owned(),
            certificate: PathBuf::from("tls/vault.pem"),
            certificate_key: PathBuf::from("tls/vault.key"),
            client_authorities: String::new(),
            client_revoked: String::new(),
        }
    }
}

impl Default for ReadingRoom {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8444)),
            database: "sqlite".to_owned(),
            inbox: "sqlite".to_owned(),
            reader_database: String::new(),
            reader_inbox: String::new(),
            role: String::new(),
            certificate: PathBuf::from("room/tls/room.pem"),
            certificate_key: PathBuf::from("room/tls/room.key"),
        }
    }
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            upload_bytes_max: 1 << 30,
            unit_bytes_max: 64 << 20,
            depth_max: 128,
            batch_records: 2_000,
            parser_memory_bytes_max: 0,
            parser_seconds_per_mib: 4,
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            provider: "file".to_owned(),
            pkcs11_module: PathBuf::new(),
            pkcs11_token: String::new(),
            pkcs11_pin_file: PathBuf::from("keys/pkcs11.pin"),
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            second_place: "ledger-copy".to_owned(),
            witnesses: Vec::new(),
            witnesses_required: 0,
            tsa_url: String::new(),
            tsa_ca: String::new(),
            tsa_every_minutes: 1_440,
        }
    }
}

impl Default for Keeping {
    fn default() -> Self {
        Self { scrub_every_days: 30, backup_every_days: 7 }
    }
}

/// Variables that are no field: `KNIK_LOG` says what the program logs, before any configuration is read.
const BESIDE: &[&str] = &["KNIK_LOG"];

impl Config {
    /// Reads TOML text, then lets variables such as `KNIK_VAULT__LISTEN=127.0.0.1:9443` override it.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field or variable.
    pub fn read(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table =
            text.parse().map_err(|e: toml::de::Error| ConfigError::Text(e.to_string()))?;
        for (name, value) in environment {
            if let Some(path) = name.strip_prefix("KNIK_").filter(|_| !BESIDE.contains(&name.as_str())) {
                apply(&mut table, &name, path, &value)?;
            }
        }
        let config: Self = table.try_into().map_err(|e: toml::de::Error| ConfigError::Text(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let value = |field, problem: &str| Err(ConfigError::Value { field, problem: problem.to_owned() });
        if self.name.is_empty()
            || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
        {
            return value("name", "must be a host name such as knik.ministerie.example");
        }
        if self.vault.listen == self.reading_room.listen && self.vault.listen.port() != 0 {
            return value("reading-room.listen", "must differ from vault.listen: they are two processes");
        }
        for (field, address) in [
            ("vault.database", &self.vault.database),
            ("reading-room.database", &self.reading_room.database),
            ("reading-room.inbox", &self.reading_room.inbox),
        ] {
            if address != "sqlite"
                && !address.starts_with("postgres://")
                && !address.starts_with("postgresql://")
            {
                return value(field, "must be `sqlite` or begin with postgres://");
            }
        }
        if self.ingest.unit_bytes_max < 1024 || self.ingest.batch_records == 0 {
            return value(
                "ingest",
                "limits must leave room: unit-bytes-max at least 1024, batch-records at least 1",
            );
        }
        if self.ingest.parser_memory_bytes() < PARSER_BYTES_MIN || self.ingest.parser_seconds_per_mib == 0 {
            return value(
                "ingest",
                "limits must leave room: parser-memory-bytes-max 0 or at least 67108864, parser-seconds-per-mib at least 1",
            );
        }
        self.ledger.check()?;
        self.oversight.check()?;
        match self.keys.provider.as_str() {
            "file" => {}
            "pkcs11" if self.keys.pkcs11_module.is_absolute() && !self.keys.pkcs11_token.is_empty() => {}
            "pkcs11" => {
                return value(
                    "keys",
                    "names the module by its whole path (pkcs11-module) and the token by its label (pkcs11-token)",
                );
            }
            _ => return value("keys.provider", "must be `file` or `pkcs11`"),
        }
        issuers::check(&self.issuers)?;
        machines::check(self)
    }
}

/// Sets `VAULT__LISTEN` to `value` in the table, keeping the kind of value that the field's default has.
fn apply(table: &mut toml::Table, name: &str, path: &str, value: &str) -> Result<(), ConfigError> {
    let unknown = || ConfigError::Variable { name: name.to_owned() };
    let lower = path.to_ascii_lowercase();
    let mut steps: Vec<String> = lower.split("__").map(|step| step.replace('_', "-")).collect();
    let field = steps.pop().filter(|f| !f.is_empty()).ok_or_else(unknown)?;
    let defaults = toml::Table::try_from(Config::default()).map_err(|_| unknown())?;
    let (mut known, mut at) = (&defaults, table);
    for step in steps {
        known = known.get(&step).and_then(toml::Value::as_table).ok_or_else(unknown)?;
        let entry = at.entry(step).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = entry.as_table_mut().ok_or_else(unknown)?;
    }
    let parsed = match known.get(&field).ok_or_else(unknown)? {
        toml::Value::Integer(_) => toml::Value::Integer(value.parse().map_err(|_| unknown())?),
        toml::Value::String(_) => toml::Value::String(value.to_owned()),
        _ => return Err(unknown()),
    };
    at.insert(field, parsed);
    Ok(())
}

/// The instance a platform has when a channel names none.
#[must_use]
pub const fn default_instance(platform: Platform) -> Option<&'static str> {
    match platform {
        Platform::X => Some("x.com"),
        Platform::Facebook => Some("facebook.com"),
        Platform::Instagram => Some("instagram.com"),
        Platform::LinkedIn => Some("linkedin.com"),
        Platform::Bluesky => Some("bsky.app"),
        Platform::YouTube => Some("youtube.com"),
        Platform::Mastodon | Platform::Web | Platform::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Vec<(String, String)> {
        Vec::new()
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(Config::read("", none()), Ok(Config::default()));
    }

    #[test]
    fn the_sample_names_every_field_with_its_default() {
        let text = include_str!("../docs/knik.sample.toml");
        let mut read = Config::read(text, none()).unwrap();
        read.issuers.clear();
        read.machines.clear();
        assert_eq!(read, Config::default());
        for (section, value) in toml::Table::try_from(Config::default()).unwrap() {
            for field in
                value.as_table().map(|t| t.keys().cloned().collect()).unwrap_or_else(|| vec![section])
            {
                let named =
                    text.lines().any(|l| l.trim_start_matches("# ").starts_with(&format!("{field} = ")))
                        || text.contains(&format!("[[{field}]]"));
                assert!(named, "{field}");
            }
        }
    }

    #[test]
    fn unknown_fields_and_values_that_cannot_be_meant_are_refused() {
        for (bad, says) in [
            ("nmae = 'x'", "nmae"),
            ("[vault]\nlisten = 'here'", "listen"),
            ("[vault]\nlisten = '127.0.0.1:1'\n[reading-room]\nlisten = '127.0.0.1:1'", "differ"),
            ("[vault]\ndatabase = 'mysql://x'", "postgres://"),
            ("name = 'a b'", "host name"),
            ("[ledger]\nwitnesses-required = 1", "ledger.witnesses"),
            ("[ledger]\ntsa-url = 'tsa.example'", "https://"),
            ("[ledger]\ntsa-url = 'http://tsa.example'", "tsa-ca"),
            ("[ledger]\ntsa-every-minutes = 0", "at least 1"),
            ("[oversight]\nalarm-webhook = 'http://fg.example'", "https://"),
            ("[oversight]\nalarm-smtp = 'mail.example'", "smtps://"),
            ("[oversight]\nalarm-smtp = 'smtps://mail.example'", "alarm-to"),
            ("[keys]\nprovider = 'paper'", "pkcs11"),
            ("[keys]\nprovider = 'pkcs11'\npkcs11-module = '/usr/lib/x.so'", "label"),
            ("[keys]\nprovider = 'pkcs11'\npkcs11-module = 'x.so'\npkcs11-token = 'a'", "whole path"),
        ] {
            let refused = Config::read(bad, none()).unwrap_err().to_string();
            assert!(refused.contains(says), "{bad}: {refused}");
        }
    }

    #[test]
    fn the_environment_overrides_and_must_name_a_field() {
        let set = |name: &str, value: &str| Config::read("", [(name.to_owned(), value.to_owned())]);
        assert_eq!(set("KNIK_VAULT__LISTEN", "127.0.0.1:9443").unwrap().vault.listen.port(), 9443);
        assert_eq!(set("KNIK_INGEST__BATCH_RECORDS", "10").unwrap().ingest.batch_records, 10);
        assert_eq!(set("HOME", "/x"), Ok(Config::default()));
        assert_eq!(set("KNIK_LOG", "debug"), Ok(Config::default()));
        for bad in ["KNIK_VALUT__LISTEN", "KNIK_VAULT__LISTNE", "KNIK_VAULT", "KNIK_"] {
            assert!(matches!(set(bad, "x"), Err(ConfigError::Variable { .. })), "{bad}");
        }
    }
}
