//! The `knik` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    knik::cli::main()
}
