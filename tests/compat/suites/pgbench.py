"""pgbench: each built-in script in each protocol, and a script in pipeline mode."""

import re

import fetch
from suites import postgres_source

NAME = "pgbench"
TITLE = "pgbench"
SCRIPTS = ("tpcb-like", "simple-update", "select-only")
MODES = ("simple", "extended", "prepared")
PIPELINE = """\\set id random(1, 100000)
\\startpipeline
SELECT abalance FROM pgbench_accounts WHERE aid = :id;
UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :id;
SELECT 1;
\\endpipeline
"""


def prepare():
    postgres_source.server_version()


def version():
    return postgres_source.server_version()


def run(target):
    script = fetch.results() / "pipeline.sql"
    script.write_text(PIPELINE)
    outcomes = {}

    def bench(name, *arguments):
        done = target.command("pgbench", *arguments)
        failed = re.findall(r"number of failed transactions: (\d+)", done.stdout)
        right = done.returncode == 0 and all(count == "0" for count in failed)
        outcomes[name] = "passed" if right else "failed"
        fetch.results().joinpath(f"{NAME}.{target.name}.log").open("a").write(f"--- {name}\n{done.stdout}{done.stderr}\n")

    fetch.results().joinpath(f"{NAME}.{target.name}.log").write_text("")
    bench("initialise, data made by the client", "-i", "-q", "-s", "1", "-I", "dtgvp")
    bench("initialise, data made by the server", "-i", "-q", "-s", "1", "-I", "dtGvpf")
    bench("initialise, partitioned", "-i", "-q", "-s", "1", "-I", "dtGvp", "--partitions=3")
    for built_in in SCRIPTS:
        for mode in MODES:
            bench(f"{built_in}, {mode}", "-n", "-b", built_in, "-M", mode, "-c", "4", "-j", "2", "-t", "100")
    for mode in ("extended", "prepared"):
        bench(f"a pipeline, {mode}", "-n", "-f", str(script), "-M", mode, "-c", "4", "-j", "2", "-t", "100")
    bench("a connection for each transaction", "-n", "-C", "-S", "-c", "4", "-j", "2", "-t", "10")
    return outcomes
