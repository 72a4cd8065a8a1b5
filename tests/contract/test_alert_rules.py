"""Alert rules: valid, explained, and about metrics that exist."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "alerts").glob("*.yaml"))
METRIC = re.compile(r"\bcountersign_[a-z_]+")


def rules() -> list[Any]:
    found = [
        pytest.param(rule, id=rule["alert"])
        for file in FILES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]
    assert found, "there are no rules"
    return found


@pytest.fixture(scope="module")
def metrics() -> dict[str, tuple[str, ...]]:
    """Every metric of the code by its name in expressions, and its labels."""
    for file in ROOT.glob("*/*/src/**/metrics.py"):
        parts = file.relative_to(ROOT).parts
        import_module(".".join(parts[parts.index("src") + 1 :]).removesuffix(".py"))
    for file in ROOT.glob("*/src/**/metrics.py"):
        parts = file.relative_to(ROOT).parts
        import_module(".".join(parts[2:]).removesuffix(".py"))
    collectors = dict(REGISTRY._names_to_collectors)
    return {name: tuple(getattr(each, "_labelnames", ())) for name, each in collectors.items()}


def test_the_files_have_no_rule_twice() -> None:
    names = [param.id for param in rules()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", rules())
def test_a_rule_is_complete(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert all(text.strip() for text in rule["annotations"].values())
    assert re.fullmatch(r"[0-9]+[smhd]", rule.get("for", "1m"))
    assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.parametrize("rule", rules())
def test_the_metrics_of_a_rule_exist_with_these_labels(
    rule: dict[str, Any], metrics: dict[str, tuple[str, ...]]
) -> None:
    names = METRIC.findall(rule["expr"])
    assert names
    for name in names:
        assert name in metrics, name
        used = re.findall(rf"{name}\{{([^}}]*)\}}", rule["expr"])
        labels = {label for text in used for label in re.findall(r"(\w+)\s*=", text)}
        labels |= set(re.findall(r"by \((\w+)\)", rule["expr"]))
        assert labels <= set(metrics[name]), name
