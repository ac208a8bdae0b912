"""Where the demo lives and what it is called: all in `.cache/demo`, so that the user's checkout is not touched."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache/demo"
HOME = FOLDER / "home"  # act's: its cache, and the dependencies that the actions install
TOOL_CACHE = HOME / "cache/act/tool_cache"  # where the actions install them: kept from one demo to the next
ACTION = FOLDER / "action"  # what `org/freshness-action@v1` is
PROJECT = FOLDER / "project"  # the repository that is gated and promoted
SHOP = FOLDER / "shop"  # the repository of the application in step 6
LOGS = FOLDER / "logs"

REPOSITORY = "org/freshness-action"
COMPOSE_PROJECT = "orchestrator"
STAGING = "orchestrator-staging"
PRODUCTION = "orchestrator"
IMAGES = {service: f"{COMPOSE_PROJECT}-{service}" for service in (STAGING, PRODUCTION)}
PORTS = {STAGING: 8501, PRODUCTION: 8500}

SHOP_PROJECT = "demo-shop"
SHOP_IMAGE = "demo-shop"
SHOP_PORT = 8510


def shown(path: Path) -> str:
    """The path as the user sees it, from the checkout's top."""
    return str(path.relative_to(ROOT))
