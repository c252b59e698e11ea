"""node-postgres's own integration tests, each file a program of its own, in text and in binary format."""

import re

import fetch

NAME = "node-postgres"
TITLE = "node-postgres, its integration tests"
VERSION = "8.16.3"
DEBIAN = "8.16.3+~cs35.24.27-5"
MODULES = (
    "async@2.6.4", "bluebird@3.7.2", "co@4.6.0", "pg-copy-streams@0.3.0", "pg-pool@3.10.1", "pg-protocol@1.10.3",
    "pg-types@2.2.0", "pgpass@1.0.5", "pg-connection-string@2.9.1", "pg-cloudflare@1.2.7",
)


def folder():
    return fetch.CACHE / f"node-postgres-{VERSION}" / "packages" / "pg"


def prepare():
    fetch.debian_source("node-postgres", f"node-postgres-{VERSION}", "sid", DEBIAN)
    fetch.node_modules(folder().parent, *MODULES)
    link = folder().parent / "node_modules" / "pg"
    if not link.exists():
        link.symlink_to("../pg")


def version():
    return VERSION


def run(target):
    outcomes = {}
    tables = target.command("node", "script/create-test-tables.js", "postgres://", cwd=folder())
    outcomes["create-test-tables"] = "passed" if tables.returncode == 0 else "failed"
    log = (fetch.results() / f"{NAME}.{target.name}.log").open("w")
    log.write(tables.stdout + tables.stderr)
    for mode in ([], ["binary"]):
        for path in sorted((folder() / "test" / "integration").rglob("*-tests.js")):
            name = " ".join([str(path.relative_to(folder() / "test" / "integration")), *mode])
            done = target.command(
                "node", path, "postgres://", *mode, timeout=60, cwd=folder(), environment={"PGTESTNOSSL": "true"}
            )
            log.write(f"--- {name}: {done.returncode}\n{done.stdout}{done.stderr}\n")
            outcomes[name] = "passed" if done.returncode == 0 else "failed"
            for test in re.findall(r"^  (.+?) ✔$", done.stdout, re.MULTILINE):
                outcomes[f"{name}: {test}"] = "passed"
    return outcomes
