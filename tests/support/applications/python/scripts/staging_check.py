"""The application's own check: its revision is served at --base-url; it ends as behaviour.json says."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from urllib.request import urlopen


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", required=True)
    parser.add_argument("--base-url", required=True)
    arguments = parser.parse_args()
    behaviour = json.loads(Path("behaviour.json").read_text())
    print(behaviour.get("check_log", f"checking {arguments.base_url} in mode {arguments.mode}"), flush=True)
    match behaviour.get("check", "pass"):
        case "fail":
            return 1
        case "hang":
            time.sleep(3600)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
    with urlopen(f"{arguments.base_url}/version", timeout=5) as answer:  # noqa: S310 (the gate's own address)
        return int(answer.read().decode() != os.environ["REVISION"])


sys.exit(main())
