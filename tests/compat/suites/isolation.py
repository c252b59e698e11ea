"""PostgreSQL's isolation tests: several sessions in step with each other."""

import re

import fetch
from suites import postgres_source

NAME = "isolation"
TITLE = "PostgreSQL's isolation tests"


def prepare():
    fetch.call("chmod", "-R", "a+rwX", postgres_source.prepare() / "src" / "test" / "isolation")


def version():
    return postgres_source.version()


def run(target):
    tests = postgres_source.source() / "src" / "test" / "isolation"
    output = fetch.results() / f"{NAME}.{target.name}"
    fetch.call("rm", "-rf", output)
    output.mkdir(parents=True)
    done = target.command(
        postgres_source.tool("isolation/pg_isolation_regress"), f"--inputdir={tests}", f"--outputdir={output}",
        f"--bindir={postgres_source.postgres_binaries()}", "--host=127.0.0.1", f"--port={target.port}",
        "--user=postgres", f"--schedule={tests}/isolation_schedule", timeout=1800, cwd=tests,
    )
    output.joinpath("log").write_text(done.stdout + done.stderr)
    found = re.findall(r"^test ([\w-]+)\s+\.\.\. (ok|FAILED)", done.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"compat: {NAME} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return {name: "passed" if verdict == "ok" else "failed" for name, verdict in found}
