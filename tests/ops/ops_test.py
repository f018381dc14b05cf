#!/usr/bin/env python3
"""The alert rules and the dashboard of docs/ops: well-formed, firing where they should, and of metrics that there are.
usage: ops_test.py"""
import json
import os
import re
import subprocess
import tempfile
import unittest

import promtool

OPS = os.path.join(promtool.ROOT, "docs", "ops")
ALERTS = os.path.join(OPS, "coffer-alerts.yml")
NAME = re.compile(r"\b(?:coffer|process)_\w+")
SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


def run(*words):
    done = subprocess.run([promtool.path(), *words], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def read(file):
    with open(file, encoding="utf-8") as text:
        return text.read()


def documented():
    """{metric: its type}"""
    page = read(os.path.join(promtool.ROOT, "docs", "metrics.md"))
    return dict(re.findall(r"^\| `((?:coffer|process)_\w+)` \| (\w+) \|", page, re.M))


def queries():
    """Of every panel, with Grafana's variables filled in."""
    board = json.loads(read(os.path.join(OPS, "coffer-dashboard.json")))
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*")


class OpsTest(unittest.TestCase):
    def check_names(self, text):
        known = documented()
        for name in NAME.findall(text):
            base = SUFFIX.sub("", name)
            wanted = base if known.get(base) == "histogram" else name
            self.assertIn(wanted, known, f"{name} is not in docs/metrics.md")

    def test_the_rules_are_well_formed(self):
        code, said = run("check", "rules", ALERTS)
        self.assertEqual(code, 0, said)

    def test_each_rule_fires_where_it_should_and_alone(self):
        code, said = run("test", "rules", os.path.join(promtool.ROOT, "tests", "ops", "alerts_test.yml"))
        self.assertEqual(code, 0, said)
        rules = re.findall(r"^ +- alert: (\w+)$", read(ALERTS), re.M)
        tested = re.findall(r"alertname=\"(\w+)\"}", read(os.path.join(promtool.ROOT, "tests", "ops", "alerts_test.yml")))
        self.assertEqual(sorted(rules), sorted(tested))

    def test_rules_and_dashboard_ask_for_metrics_that_there_are(self):
        self.check_names("\n".join(re.findall(r"expr: (.*)", read(ALERTS))))
        asked = list(queries())
        self.assertGreater(len(asked), 30)
        self.check_names("\n".join(asked))

    def test_the_dashboard_shows_every_metric_that_coffer_counts(self):
        shown = {SUFFIX.sub("", name) for query in queries() for name in NAME.findall(query)}
        shown |= {name for query in queries() for name in NAME.findall(query)}
        unshown = {name for name in documented() if name.startswith("coffer_")} - shown
        self.assertEqual(unshown, {"coffer_token_orphaned_objects", "coffer_token_recoveries_total"})

    def test_each_query_of_the_dashboard_can_be_parsed(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "queries.yml")
            rules = [{"record": f"query:{i}", "expr": query} for i, query in enumerate(queries())]
            with open(file, "w", encoding="utf-8") as out:
                json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, out)  # JSON is YAML
            code, said = run("check", "rules", file)
        self.assertEqual(code, 0, said)


promtool.run_tests()
