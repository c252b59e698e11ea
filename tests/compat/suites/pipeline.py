"""libpq's pipeline mode: PostgreSQL's `libpq_pipeline` program."""

import fetch
from suites import postgres_source

NAME = "libpq_pipeline"
TITLE = "libpq_pipeline, PostgreSQL's tests of pipeline mode"


def program():
    return fetch.CACHE / f"libpq_pipeline-{version()}"


def prepare():
    source = postgres_source.prepare() / "src" / "test" / "modules" / "libpq_pipeline" / "libpq_pipeline.c"
    if program().exists():
        return
    ask = lambda what: fetch.call("pg_config", what).strip()
    fetch.call(
        postgres_source.compiler(), source, f"-I{ask('--includedir')}", f"-I{ask('--includedir-server')}",
        f"-I{ask('--includedir')}/internal", f"-L{ask('--libdir')}", f"-L{postgres_source.postgres_binaries().parent}/lib",
        "-lpq", "-lpgcommon", "-lpgport", "-lm", "-o", program(),
    )


def version():
    return postgres_source.version()


def run(target):
    outcomes = {}
    for name in target.command(program(), "tests").stdout.split():
        done = target.command(program(), name, "dbname=compat", timeout=120)
        fetch.results().joinpath(f"{NAME}.{name}.{target.name}.log").write_text(done.stdout + done.stderr)
        outcomes[name] = "passed" if done.returncode == 0 else "failed"
    return outcomes
