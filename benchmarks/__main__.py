"""`python -m benchmarks [--quick] [-o json] [names…]`: measure, print the table, exit 1 when a target is missed."""

import argparse
import logging
import sys

from benchmarks import fleet, lateness, live, many_jobs, rest_page, takeover, throughput
from benchmarks.server import server
from benchmarks.table import Line, show

MEASUREMENTS = {
    "throughput": throughput.measure,
    "lateness": lateness.measure,
    "many_jobs": many_jobs.measure,
    "rest_page": rest_page.measure,
    "takeover": takeover.measure,
    "live": live.measure,
    "fleet": fleet.measure,
}


def main(arguments: list[str] | None = None) -> int:
    """Run what is named, or everything; 0 when every target was met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"of {', '.join(MEASUREMENTS)}; default: all"
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: whether it works, not what it costs"
    )
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    logging.disable(logging.WARNING)  # the peer tells every run it put off
    lines: list[Line] = []
    with server() as measured:
        for name in given.names or MEASUREMENTS:
            sys.stderr.write(f"measuring {name} …\n")
            lines += MEASUREMENTS[name](measured, quick=given.quick)
        show(lines, measured.about(), as_json=given.output == "json")
    return 0 if all(line.met for line in lines) or given.quick else 1


if __name__ == "__main__":
    sys.exit(main())
