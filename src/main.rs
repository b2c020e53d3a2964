//! The `knik` program.

use knik::cli::{Arguments, run};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::of_process();
    let filter =
        EnvFilter::try_from_env("KNIK_LOG").unwrap_or_else(|_| EnvFilter::new("warn,actix_web=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json().init();
    // A panic's message may quote what was being worked on: only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%at, "panic");
    }));
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(arguments))
}
