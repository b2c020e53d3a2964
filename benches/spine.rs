//! Figures of the spine: intake, redacted views over TLS, memory, disk. `docs/benchmarks.md` says what each means.
//!
//! `cargo bench --profile release --bench spine -- [ingest|bytes|beside|open|find|export|views|alike|memory|posts|all] [--count N] [--tree TREE]
//! [--seconds N] [--rounds N] [--pairs N] [--until DAY] [--keep DIR] [--direct] [--program FILE] [--json]`. It runs the real program that was built beside it, in a temporary folder.
//! `posts` measures nothing: it prints generated posts as JSONL.

mod figures;
mod generate;

fn main() -> anyhow::Result<()> {
    figures::run(std::env::args().skip(1))
}
