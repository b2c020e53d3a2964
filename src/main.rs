//! The `knik` program.

use std::process::ExitCode;

/// Many small things live as long as one request: this one hands them out and takes them back faster than the C library does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    knik::cli::main()
}
