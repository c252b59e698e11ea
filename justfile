# Every chore of this repository. `./bootstrap RECIPE` also installs what a recipe needs.

set positional-arguments

root := justfile_directory()
export PATH := root / ".cache/bin" + ":" + env("PATH")
export ENVOY_BIN := env("ENVOY_BIN", if path_exists(root / ".cache/bin/envoy") == "true" { root / ".cache/bin/envoy" } else { "envoy" })

# Errors of the tests tell what failed; where they were made is noise.
export RUST_LIB_BACKTRACE := "0"

wasm_target := "wasm32-wasip1"
cargo_target := env("CARGO_TARGET_DIR", root / "target")

[private]
default:
    @just --justfile {{ justfile() }} --list

# play the main job against a real PostgreSQL; --stay leaves it running
[group('use')]
demo *args: build
    @cargo run --quiet -p ostiary-tests --bin demo -- "$@"

# ostiary up, as built here: `just up -f ostiary.yaml`
[group('use')]
[no-cd]
up *args: build
    @exec "{{ root }}/dist/ostiary" up "$@"

# dist/ostiary and dist/ostiary_filter.wasm, optimised
[group('build')]
build: _ostiary _filter

_ostiary:
    cargo build --quiet --release -p ostiary-control-plane --bin ostiary
    @mkdir -p dist && install "{{ cargo_target }}/release/ostiary" dist/ostiary

_filter:
    @.config/build-filter {{ wasm_target }} "{{ cargo_target }}"

# every test
[group('test')]
test: unit e2e

# pure tests of every crate
[group('test')]
unit *args:
    cargo test --workspace --exclude ostiary-tests "$@"

# real Envoy, real PostgreSQL, real clients; arguments go to cargo test
[group('test')]
e2e *args: build
    cargo test -p ostiary-tests "$@"

# the SQL analysis against PostgreSQL's own grammar; `just differential quick` for the short run
[group('test')]
differential *args:
    @tests/differential/run "$@"

# public test suites of drivers and of PostgreSQL, directly and through the gateway; writes docs/compatibility.md
[group('test')]
compat *suites: build
    @tests/compat/run "$@"

# fuzz the decoders and the session for a while: `just fuzz 60`
[group('test')]
fuzz seconds="20":
    @tests/fuzz/run {{ seconds }}

# pgbench and wrk through the gateway, and without it; writes docs/benchmarks.md and docs/benchmarks-http.md
[group('test')]
bench *args: build
    @cargo run --quiet --release -p ostiary-tests --bin bench -- "$@"

# formatting, clippy, dependencies
[group('lint')]
lint: _fmt-check _clippy deny

# rewrite to the house format
[group('lint')]
fmt:
    cargo fmt --all

# licences, sources, bans and, where the database can be reached, advisories
[group('lint')]
deny:
    @.config/deny

_fmt-check:
    cargo fmt --all -- --check

_clippy:
    cargo clippy --quiet --workspace --exclude ostiary-filter --all-targets -- -D warnings
    cargo clippy --quiet -p ostiary-filter --target {{ wasm_target }} -- -D warnings
