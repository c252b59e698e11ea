"""The suites. Each module has

    NAME, TITLE     for the command line, and for the report
    prepare()       brings what it needs
    version()       of what was run
    run(target)     the outcome of each of its tests: a name to "passed", "failed", "skipped", ...
"""

from suites import asyncpg, dump, isolation, node_postgres, pgbench, pipeline, psycopg, regress

SUITES = {
    suite.NAME: suite for suite in (pgbench, dump, pipeline, psycopg, asyncpg, node_postgres, regress, isolation)
}
