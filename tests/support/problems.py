"""What a refusal over REST must look like, wherever it comes from."""

from typing import Any

import httpx


def assert_problem(
    answer: httpx.Response, status: int, code: str, detail: str | None = None, **members: Any
) -> dict[str, Any]:
    """A problem document (RFC 9457) with this status, code and sentence; returns it."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= set(problem)
    assert problem["status"] == status
    assert problem["code"] == code, problem
    assert problem["instance"] == answer.request.url.path
    assert problem["request_id"] == answer.headers["x-request-id"]
    if detail is not None:
        assert problem["detail"] == detail
    for name, value in members.items():
        assert problem[name] == value, problem
    for word in ("Traceback", "asyncpg", "grpc", 'File "', "countersign_"):
        assert word not in answer.text
    return problem


def fields(problem: dict[str, Any]) -> set[str]:
    """Names of the fields that the problem complains about."""
    return {error["field"] for error in problem["errors"]}
