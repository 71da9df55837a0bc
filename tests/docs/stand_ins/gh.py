"""Stand for the CLI of GitHub: tell of one merged pull request, on which everything is ticked."""

import argparse
import json
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("noun", choices=["pr"])
parser.add_argument("verb", choices=["list"])
parser.add_argument("--state", choices=["merged"])
parser.add_argument("--limit", type=int)
parser.add_argument("--json", required=True)
fields = parser.parse_args().json.split(",")
body = Path(".github/pull_request_template.md").read_text(encoding="utf-8").replace("[ ]", "[x]")
request = {"number": 1, "body": body, "mergedAt": "2026-11-20T09:00:00Z"}
request["commits"] = [{"oid": "0" * 40, "authoredDate": "2026-11-19T09:00:00Z"}]
request["files"] = [{"path": "terraform/main.tf", "additions": 1, "deletions": 0}]
json.dump([{field: request[field] for field in fields}], sys.stdout)
