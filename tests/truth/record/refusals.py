"""Turns recorded launches into what the tests of refusals read: how each was launched, and why it was refused, if it was.

    python refusals.py recorded.jsonl [more.jsonl ...] > ../refusals/TAG.jsonl

Launches that argparse refuses are left out, as are those the recorder could not finish.
"""

import json
import sys

for path in sys.argv[1:]:
    with open(path) as file:
        for line in file:
            record = json.loads(line)
            rejected = record.get("rejected")
            if "crashed" in record or (rejected or "").startswith("SystemExit(2)"):
                continue
            out = {key: record.get(key) for key in ("name", "te", "argv", "world")}
            out["apex"] = record.get("apex", True)
            if rejected:
                out["rejected"] = f"{rejected} {record.get('stderr_last') or ''}".strip()
            print(json.dumps(out, separators=(",", ":")))
