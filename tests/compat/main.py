"""Runs public suites directly and through the gateway, and compares what came of each test.

    main.py [SUITE...]    some suites, or all; writes docs/compatibility.md
    main.py --list        their names
    main.py --report      docs/compatibility.md anew, from the outcomes kept in .cache/compat

Exit code 1 if a test has another outcome through the gateway and differences.toml gives no reason.
"""

import json
import sys

import fetch
import report
from stack import Stack
from suites import SUITES


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(SUITES))
        return 0
    unknown = [name for name in arguments if name not in SUITES and name != "--report"]
    if unknown:
        print(f"compat: no suite {', '.join(unknown)}; there are {', '.join(SUITES)}", file=sys.stderr)
        return 2
    if "--report" not in arguments:
        chosen = [SUITES[name] for name in arguments or SUITES]
        for suite in chosen:
            suite.prepare()
        with Stack.start() as stack:
            for suite in chosen:
                run(suite, stack)
    return report.write()


def run(suite, stack):
    outcomes = {}
    for target in stack.direct, stack.through:
        stack.fresh_database()
        fetch.say(f"{suite.NAME} {target.name} ...")
        outcomes[target.name] = suite.run(target)
        fetch.say(f"{suite.NAME} {target.name}: {report.summary(outcomes[target.name])}")
    kept = {"suite": suite.NAME, "version": suite.version(), "server": stack.server_version, **outcomes}
    fetch.results().joinpath(f"{suite.NAME}.json").write_text(json.dumps(kept, indent=1, sort_keys=True))
    for line in report.differences(kept):
        fetch.say(line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
