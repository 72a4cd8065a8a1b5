"""A connection's settings on the wire."""

import json
from collections.abc import Mapping
from typing import Any


def settings_json(config: Mapping[str, Any]) -> str:
    """A JSON object in one spelling; unlike canonical JSON it may have fractions of seconds."""
    return json.dumps(dict(config), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
