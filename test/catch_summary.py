"""Reads Catch2's XML report (version 2 or 3): prints `PASSED FAILED` test cases, and on standard error what failed.

    test-core -r xml -o report.xml; python3 test/catch_summary.py report.xml $?

A report that ends early (the program crashed) counts the test case it was in as failed; so does a non-zero exit status
without a failed test case.
"""
import sys
import xml.etree.ElementTree as xml


def complaint(case):
    lines = []
    for part in case.iter():
        if part.tag == "Expression" and part.get("success") == "false":
            lines.append("{}:{}: {} -> {}".format(part.get("filename"), part.get("line"), *(" ".join((part.findtext(tag) or "").split())
                                                                                            for tag in ("Original", "Expanded"))))
        elif part.tag in ("Exception", "FatalErrorCondition", "Failure", "Info"):
            lines.append("{}: {}".format(part.tag.lower(), " ".join((part.text or "").split())))
    return lines


def main():
    path, status = sys.argv[1], int(sys.argv[2])
    passed, failed, running, lines = 0, 0, None, []
    try:
        for event, part in xml.iterparse(path, events=("start", "end")):
            if part.tag != "TestCase":
                continue
            if event == "start":
                running = part.get("name")
                continue
            running, result = None, part.find("OverallResult")
            if result is not None and result.get("success") == "true":
                passed += 1
            else:
                failed += 1
                lines += ["FAIL " + part.get("name")] + ["     " + line for line in complaint(part)]
            part.clear()
    except (xml.ParseError, OSError) as error:
        failed += 1
        lines += ["FAIL {}: the report ends early ({})".format(running or path, error)]
    if status != 0 and failed == 0:
        failed += 1
        lines += ["FAIL {}: exit status {} without a failed test case".format(path, status)]
    if passed + failed == 0:
        failed += 1
        lines += ["FAIL {}: no test case ran".format(path)]
    print(passed, failed)
    print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)


main()
