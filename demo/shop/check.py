"""The staging check of the shop: all services are of the commit, and have started after its migration."""

import json
import os
import sys
from urllib.request import ProxyHandler, build_opener

EXPECTED = {"revision": os.environ["GIT_SHA"], "migrated": os.environ["GIT_SHA"]}

notes = json.load(build_opener(ProxyHandler({})).open(os.environ["BASE_URL"], timeout=5))
for name in ("web", "worker", "scheduler"):
    if notes.get(name) != EXPECTED:
        sys.exit(f"{name}: got {notes.get(name)}, expected {EXPECTED}")
    print(f"ok {name}: {EXPECTED}")
