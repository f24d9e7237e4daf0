"""Fails when a test was skipped, or expected to fail, or when there was none. Arguments: JUnit files."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

total = failed = 0
skipped: list[str] = []
for path in map(Path, sys.argv[1:]):
    # Our own pytest wrote these files.
    cases = list(ET.parse(path).iter("testcase"))  # noqa: S314
    if not cases:
        sys.exit(f"{path}: no test ran")
    total += len(cases)
    for case in cases:
        failed += any(case.find(word) is not None for word in ("failure", "error"))
        if case.find("skipped") is not None:
            skipped.append(f"{case.get('classname')}::{case.get('name')}")
print(f"{total - failed - len(skipped)} passed, {failed} failed, {len(skipped)} skipped")
if skipped or failed:
    sys.exit("\n".join(["skipped or expected to fail:", *skipped]))
print("Nothing was skipped.")
