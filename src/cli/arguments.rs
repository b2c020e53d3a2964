//! What can be typed, with an example each.

use super::appointments::{MandateCommand, ReviewerCommand};
use super::backup::BackupArguments;
use super::bench::BenchCommand;
use super::compare::{self, CompareArguments};
use super::declare::{ChannelCommand, GrantCommand, OrganisationCommand};
use super::detect::{self, DetectArguments};
use super::export::ExportArguments;
use super::formal::FormalCommand;
use super::incident::IncidentCommand;
use super::keys::KeysCommand;
use super::ledger::LedgerCommand;
use super::letter::LetterCommand;
use super::open::OpenArguments;
use super::oversight::OversightArguments;
use super::parse_process::ParseArguments;
use super::patterns::PatternsCommand;
use super::periodic::FiguresCommand;
use super::policy::PolicyCommand;
use super::publications::PublicationCommand;
use super::question::{self, QuestionArguments};
use super::queue::QueueCommand;
use super::receipt::ReceiptArguments;
use super::redact::{self, RedactArguments};
use super::register::{self, NoticeArguments, RegisterArguments};
use super::report::ReportCommand;
use super::requests::RequestCommand;
use super::restore::RestoreArguments;
use super::review::ReviewCommand;
use super::revoke::{self, RevokeArguments};
use super::story::{self, StoryArguments};
use super::subject::SubjectArguments;
use super::tree::TreeCommand;
use crate::capture::Format;
use crate::model::{ChannelId, OrganisationId, Outcome, Role};
use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Archives of government social media: originals stay sealed, readers get redacted views.
#[derive(Parser)]
#[command(name = "knik", version, after_help = "Start with: knik demo")]
pub struct Arguments {
    /// The data folder.
    #[arg(long, global = true, default_value = "./knik-data")]
    pub(super) dir: PathBuf,
    /// Answer with JSON instead of text for people.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Fill a data folder with sample captures and serve it, for trying out.
    #[command(
        after_help = "Example: knik demo --dir knik-demo\n         knik demo --check   does the main job as each role and stops"
    )]
    Demo(DemoArguments),
    /// Serve the vault and, as a process of its own, the reading room.
    #[command(after_help = "Example: knik serve --dir /var/lib/knik")]
    Serve,
    /// Serve the detector alone, with the interface of Presidio, without a data folder.
    #[command(
        after_help = "Example: knik detector --listen 127.0.0.1:3000\n         knik detector --listen 0.0.0.0:3000 --tls-certificate chain.pem --tls-key key.pem --token-file token"
    )]
    Detector(DetectorArguments),
    /// Take captures in.
    #[command(
        after_help = "Example: knik ingest --channel low-mastodon timeline.json context.json\n         knik ingest --strict --json --channel low-mastodon archive.zip\n         knik ingest --dry-run --json timeline.json"
    )]
    Ingest(IngestArguments),
    /// Take in every capture that is laid in a folder or under a prefix of an S3 bucket, and move it aside.
    #[command(
        after_help = "Example: knik harvest --channel low-mastodon --folder /srv/harvest/low-mastodon\n         knik harvest --once --strict --json --channel dwv-x --s3 s3://captures/dwv-x\n\nWhere an S3 store is and who asks stand in the environment: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID,\nAWS_SECRET_ACCESS_KEY; AWS_ALLOW_HTTP=true for a store without TLS."
    )]
    Harvest(HarvestArguments),
    /// Organisations, each with a master key of its own.
    #[command(
        subcommand,
        after_help = "Example: knik organisation add min-low --name 'Ministerie van Leefomgeving en Water'"
    )]
    Organisation(OrganisationCommand),
    /// Channels and what holds for them.
    #[command(subcommand, after_help = "Example: knik channel list")]
    Channel(ChannelCommand),
    /// Who may read what, until when.
    #[command(subcommand, after_help = "Example: knik grant list")]
    Grant(GrantCommand),
    /// What is published to everyone: by which decision, until when.
    #[command(subcommand, after_help = "Example: knik publication list")]
    Publication(PublicationCommand),
    /// Mandates of approvers: by which document, for which channels, until when.
    #[command(subcommand, after_help = "Example: knik mandate list")]
    Mandate(MandateCommand),
    /// Reviewers of external agencies: by which agreement, for which channels, until when.
    #[command(subcommand, after_help = "Example: knik reviewer list")]
    Reviewer(ReviewerCommand),
    /// Access policies: check them, try what they say of a request. Needs no data folder.
    #[command(
        subcommand,
        after_help = "Example: knik policy check\n         knik policy explain --as official@min-low --do read-vault-view --on vault-record@min-low"
    )]
    Policy(PolicyCommand),
    /// What was decided on the records of an organisation, and by which steps.
    #[command(after_help = "Example: knik decisions --organisation min-low --outcome refer")]
    Decisions(DecisionsArguments),
    /// Records that are flagged for special categories or a minor: withheld until a reviewer has judged them.
    #[command(subcommand, after_help = "Example: knik review list")]
    Review(ReviewCommand),
    /// Originals under a legal basis: ask, approve, open, find back, end. Asks a vault as one person, with their token.
    #[command(after_help = "Example: knik open --token-file token list --state waiting")]
    Open(Box<OpenArguments>),
    /// Files of redacted copies: start, look, fetch as a researcher; look, release, refuse as a second person.
    #[command(after_help = "Example: knik export --token-file token status")]
    Export(Box<ExportArguments>),
    /// Requests of persons concerned (AVG 15 to 21). Asks a vault as one person, with their token.
    #[command(after_help = "Example: knik subject --token-file token list")]
    Subject(Box<SubjectArguments>),
    /// The officer who checks: who opened what, what was not answered for, the public log. Asks a vault with their token.
    #[command(after_help = "Example: knik oversight --token-file token attention")]
    Oversight(Box<OversightArguments>),
    /// Reports of readers (“I see a name”, “wrongly redacted”), as a reviewer judges them.
    #[command(
        subcommand,
        after_help = "Example: knik report list --organisation min-low --reviewer beoordelaar-1"
    )]
    Report(ReportCommand),
    /// Incidents: personal data that was shown and should not have been, who has it, how it ended.
    #[command(subcommand, after_help = "Example: knik incident list")]
    Incident(IncidentCommand),
    /// A request, told in words from the ledger: from its first step to its last, with the numbers of the entries.
    #[command(after_help = story::EXAMPLES)]
    Story(StoryArguments),
    /// Master keys: make, replace, look, keep a copy, give back.
    #[command(subcommand, after_help = "Example: knik keys status")]
    Keys(KeysCommand),
    /// Refuse a token, a subject, a person or a machine at once, on both planes; list and lift what was revoked.
    #[command(after_help = revoke::EXAMPLES, args_conflicts_with_subcommands = true)]
    Revoke(Box<RevokeArguments>),
    /// Find personal data in a text, files, or a text a line. Needs no data folder.
    #[command(after_help = detect::EXAMPLES)]
    Detect(DetectArguments),
    /// Replace personal data in a text, files, or a text a line; and put back what was encrypted.
    #[command(after_help = redact::EXAMPLES)]
    Redact(Box<RedactArguments>),
    /// What several trees and profiles would mean for the same archive, in figures.
    #[command(after_help = compare::EXAMPLES)]
    Compare(CompareArguments),
    /// What waits for people: doubtful records, proposals for destruction, referrals, unanswered questions.
    #[command(
        subcommand,
        after_help = "Example: knik queue doubtful --organisation min-low --reviewer beoordelaar-1"
    )]
    Queue(QueueCommand),
    /// Objections, applications and complaints (Awb 2:3): when they came in, where they went, what is overdue.
    #[command(
        subcommand,
        after_help = "Example: knik formal overdue --organisation min-low --reviewer registrator-1"
    )]
    Formal(FormalCommand),
    /// Links to the letter system: make, confirm, take in as a list, what is due, find back.
    #[command(
        subcommand,
        after_help = "Example: knik letter due --organisation min-low --reviewer registrator-1"
    )]
    Letter(LetterCommand),
    /// The receipt of a decision on a record: proof of outcome, path, tree and who, without a word of it.
    #[command(
        after_help = "Example: knik receipt --record 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 > receipt.json\n         knik verify --receipt receipt.json --key ledger-keys.txt"
    )]
    Receipt(ReceiptArguments),
    /// Reports over a period: how reactions sounded, what the organisation acted on.
    #[command(
        subcommand,
        after_help = "Example: knik figures sentiment --organisation min-low --period 2026-01-01..2026-04-01"
    )]
    Figures(FiguresCommand),
    /// The register of processing (AVG 30): an entry for each channel, from what is in force.
    #[command(after_help = register::REGISTER_EXAMPLES)]
    Register(RegisterArguments),
    /// What people are told of a channel (AVG 13 and 14), in Dutch or English.
    #[command(after_help = register::NOTICE_EXAMPLES)]
    Notice(NoticeArguments),
    /// Whether a text, files, or a text a line ask something: yes, no or unsure. Needs no data folder.
    #[command(after_help = question::EXAMPLES)]
    Question(QuestionArguments),
    /// Decision trees: check them with their examples, draw one, follow one for a text. Needs no data folder.
    #[command(subcommand, after_help = "Example: knik tree show scenario-b")]
    Tree(TreeCommand),
    /// The recognisers: check their examples, list them.
    #[command(subcommand, after_help = "Example: knik patterns check")]
    Patterns(PatternsCommand),
    /// Export the ledger, print its checkpoints, take in what witnesses and time-stamp authorities say.
    #[command(subcommand, after_help = "Example: knik ledger export /media/usb/ledger")]
    Ledger(LedgerCommand),
    /// Check the ledger, the checkpoints and every segment; or, offline, an exported ledger or one receipt.
    #[command(
        after_help = "Example: knik verify\n         knik verify --since saved.checkpoint\n         knik verify --ledger /media/usb/ledger --key ledger-keys.txt\n         knik verify --receipt receipt.json --key knik.example/vault+1a2b3c4d+AS…"
    )]
    Verify(VerifyArguments),
    /// Read every sealed segment back whole and compare it with what was written; a service does so by itself.
    #[command(after_help = "Example: knik scrub --dir /var/lib/knik\n         knik scrub --sweep")]
    Scrub {
        /// Remove objects that no row names and that are older than a day: what batches left that never committed.
        #[arg(long)]
        sweep: bool,
    },
    /// Requests of researchers for redacted copies: look, ask, approve, refuse; or on behalf of a researcher.
    #[command(subcommand, after_help = "Example: knik request list")]
    Request(RequestCommand),
    /// Copy everything that fits together to a place outside the data folder: databases, segments, ledger, keys. A running
    /// service goes on meanwhile.
    #[command(after_help = "Example: knik backup /mnt/backup/knik --passphrase-file passphrase")]
    Backup(BackupArguments),
    /// Make a data folder out of a backup: verified, and with destructions and revocations since done again.
    #[command(
        after_help = "Example: knik restore /mnt/backup/knik --passphrase-file passphrase --ledger /mnt/second/ledger-copy --dir /var/lib/knik"
    )]
    Restore(RestoreArguments),
    /// Counts, the heads of the ledger, what waits, when the archive was verified and backed up, what wants attention.
    #[command(after_help = "Example: knik status --json")]
    Status,
    /// Print the OpenAPI document.
    #[command(after_help = "Example: knik openapi vault > vault.json")]
    Openapi {
        /// Of which plane.
        #[arg(value_enum, default_value = "reading-room")]
        plane: PlaneName,
    },
    /// Mint a token of the demo's own issuer. Works in a data folder that `knik demo` made, and nowhere else.
    #[command(
        after_help = "Example: knik token --role researcher --organisation universiteit --subject onderzoeker-1"
    )]
    Token(TokenArguments),
    /// Measure the detector on this machine.
    #[command(subcommand, after_help = "Example: knik bench detect")]
    Bench(BenchCommand),
    /// The reading room's process: started by `knik serve`, with an empty environment and no key.
    #[command(hide = true)]
    ReadingRoom,
    /// The process that reads a capture: started for each reading, with an empty environment and no key.
    #[command(hide = true)]
    ParseCapture(ParseArguments),
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum PlaneName {
    /// The access plane.
    ReadingRoom,
    /// The archive plane.
    Vault,
}

/// How the demo is run.
#[derive(Args)]
pub struct DemoArguments {
    /// Do the main job over TLS as each role, print what each got, and stop: exit 0 when all is well, else 1.
    #[arg(long)]
    pub(super) check: bool,
    /// Port of the vault; the reading room takes the next. 0 takes free ones.
    #[arg(long, default_value_t = 8443)]
    pub(super) port: u16,
}

/// Where the detector listens, and to whom.
#[derive(Args)]
pub(super) struct DetectorArguments {
    /// Address and port; port 0 takes a free one. Other machines are served over TLS and with a token only.
    #[arg(long)]
    pub(super) listen: SocketAddr,
    /// File with the token that every request but one to /health must bear; readable by its owner alone.
    #[arg(long)]
    pub(super) token_file: Option<PathBuf>,
    /// File with the server's certificate chain (PEM).
    #[arg(long, requires = "tls_key")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// File with its key (PEM); readable by its owner alone.
    #[arg(long, requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
    /// Folder of pattern files to use instead of those that come with the program.
    #[arg(long)]
    pub(super) patterns: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct IngestArguments {
    /// For which channel.
    #[arg(long, required_unless_present = "dry_run")]
    pub(super) channel: Option<ChannelId>,
    /// The format, when it need not be recognised.
    #[arg(long, help = format_help())]
    pub(super) format: Option<String>,
    /// Take nothing of a file in when any piece of it would be skipped.
    #[arg(long)]
    pub(super) strict: bool,
    /// Say what the files hold and write nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Answer with JSON.
    #[arg(skip)]
    pub(super) json: bool,
    /// Files as harvested.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
}

#[derive(Args)]
pub(super) struct HarvestArguments {
    /// For which channel.
    #[arg(long)]
    pub(super) channel: ChannelId,
    /// A folder that captures are laid in.
    #[arg(long, required_unless_present = "s3", conflicts_with = "s3")]
    pub(super) folder: Option<PathBuf>,
    /// A bucket and prefix that captures are laid under: s3://bucket/prefix.
    #[arg(long)]
    pub(super) s3: Option<String>,
    /// Take in what is there and stop; exit 1 when something was refused or had to be left.
    #[arg(long)]
    pub(super) once: bool,
    /// The format, when it need not be recognised.
    #[arg(long, help = format_help(), value_parser = known_format)]
    pub(super) format: Option<String>,
    /// Refuse a capture when any piece of it would be skipped.
    #[arg(long)]
    pub(super) strict: bool,
    /// How long a file in the folder must not have changed before it is taken to be complete.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) settle_seconds: u64,
    /// How long to wait between two rounds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) every_seconds: u64,
    /// Answer with JSON.
    #[arg(skip)]
    pub(super) json: bool,
}

fn known_format(word: &str) -> Result<String, String> {
    word.parse::<Format>().map(|format| format.to_string()).map_err(|error| error.to_string())
}

/// What is said of `--format`: every format there is.
fn format_help() -> String {
    let words: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
    format!("The format, when it need not be recognised: {}", words.join(", "))
}

#[derive(Args)]
pub(super) struct DecisionsArguments {
    /// Whose records.
    #[arg(long)]
    pub(super) organisation: OrganisationId,
    /// Only this outcome.
    #[arg(long)]
    pub(super) outcome: Option<Outcome>,
}

#[derive(Args)]
pub(super) struct VerifyArguments {
    /// Check the export that was fetched to this folder, offline: files, manifest and receipts.
    #[arg(long, conflicts_with_all = ["ledger", "since", "receipt"])]
    pub(super) export: Option<PathBuf>,
    /// Check this receipt, offline, instead of the data folder.
    #[arg(long, conflicts_with_all = ["ledger", "since"])]
    pub(super) receipt: Option<PathBuf>,
    /// Check the logs in this folder, offline: what `knik ledger export` wrote, and nothing else.
    #[arg(long, requires = "key")]
    pub(super) ledger: Option<PathBuf>,
    /// Look only at what came since this saved checkpoint, and check that the log continues it. A file with a
    /// checkpoint, or a folder that the ledger was exported to before.
    #[arg(long)]
    pub(super) since: Option<PathBuf>,
    /// The log's verifier key, or a file of them; those of the data folder when absent.
    #[arg(long)]
    pub(super) key: Vec<String>,
    /// A witness's key, or a file of them; those of the configuration when absent.
    #[arg(long)]
    pub(super) witness: Vec<String>,
    /// How many witnesses must have cosigned a checkpoint, with --ledger.
    #[arg(long, default_value_t = 0)]
    pub(super) witnesses_required: usize,
    /// Certificates (PEM) that those of time-stamp authorities lead to, with --ledger.
    #[arg(long)]
    pub(super) tsa_ca: Option<PathBuf>,
    #[arg(skip)]
    pub(super) json: bool,
}

/// What a demo token says.
#[derive(Args)]
pub struct TokenArguments {
    /// The one active role.
    #[arg(long)]
    pub(super) role: Role,
    /// The organisation.
    #[arg(long)]
    pub(super) organisation: OrganisationId,
    /// Who.
    #[arg(long)]
    pub(super) subject: String,
    /// For how long.
    #[arg(long, default_value_t = 3_600)]
    pub(super) seconds: u32,
}

impl Arguments {
    /// The command line of this process, with `--json` where a command has its own use for it.
    #[must_use]
    pub fn of_process() -> Self {
        let mut read = Self::parse();
        match &mut read.command {
            Command::Ingest(asked) => asked.json = read.json,
            Command::Harvest(asked) => asked.json = read.json,
            Command::Verify(asked) => asked.json = read.json,
            _ => {}
        }
        read
    }
}
