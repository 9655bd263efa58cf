"""Run two tests of the suite from Python, keep the results, and compare another model with them."""

import vlcheck

tests = ["test_grayscale_preserves_objects", "test_blocking_drops_match"]

results = vlcheck.evaluate("tiny", "scenes:50", tests=tests)
for verdict in results:
    print(f"{verdict.test}: {verdict.status}, wrong in {verdict.rate:.0%} of {verdict.n} images")
results.save("results.jsonl")
results.report("report.html")

old = vlcheck.read_results("results.jsonl")
new = vlcheck.evaluate("tiny-blind", "scenes:50", tests=tests)
for row in vlcheck.compare(old, new).which("worse"):
    print(f"worse: {row.test}")
