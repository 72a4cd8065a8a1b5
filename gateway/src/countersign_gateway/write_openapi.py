"""Writes the OpenAPI document: `python -m countersign_gateway.write_openapi openapi.json`."""

import json
import sys
from pathlib import Path

from countersign_gateway.app import describe_app


def main() -> None:
    """Writes to the path in the first argument."""
    text = json.dumps(describe_app().openapi(), indent=2, ensure_ascii=False)
    Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
