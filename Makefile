# The demo and the tests share one build, quick to make (profile `bench` in Cargo.toml); what is put to use is built with --release.
.PHONY: demo test bench soak fmt clippy clean

# Builds Knik, fills ./knik-data with its own keys and sample captures, serves over TLS on 127.0.0.1 until stopped.
demo:
	cargo build --profile bench
	$${CARGO_TARGET_DIR:-target}/release/knik demo --dir knik-data

# Format, lints, all tests (SQLite and PostgreSQL) and the demo check.
test:
	@tests/run.sh

# Records a second for ingest, redacted views a second over TLS, memory and disk; entries of the ledger a second and an
# fsync; then the detector on posts and on hostile texts.
bench:
	@benches/run.sh
	@cargo bench --profile release --bench journal
	@benches/detector.sh

# Hours under load with faults injected.
soak:
	@echo "not yet: there is no soak test" >&2
	@exit 1

fmt:
	cargo fmt

clippy:
	cargo clippy --profile bench --all-targets -- -D warnings

# The build only: a data folder holds keys, so nothing here deletes it.
clean:
	cargo clean
