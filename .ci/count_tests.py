"""Sum the reports of several pytest runs: a line for each and one, in pytest's words, for all."""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

total: Counter[str] = Counter()
for path in map(Path, sys.argv[1:]):
    suite = next(ElementTree.parse(path).iter("testsuite"))  # noqa: S314 - our own report
    for key in ("tests", "failures", "errors", "skipped"):
        total[key] += int(suite.attrib[key])
    print(f"{path.stem:10} {suite.attrib['tests']:>5} tests in {suite.attrib['time']:>8} s")
failed = total["failures"] + total["errors"]
passed = total["tests"] - failed - total["skipped"]
print(f"{passed} passed, {failed} failed, {total['skipped']} skipped")
sys.exit(passed == 0)
