//! The `knik` program.

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    knik::cli::main()
}
