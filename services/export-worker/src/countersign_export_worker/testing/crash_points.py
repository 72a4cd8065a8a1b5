"""Ends the process, as `kill -9` does, or stops it, at a step of a delivery that a test names.

The worker knows nothing of it: both of its ports are wrapped, and only by
testing.crashing_worker, which is never installed as a program.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial
from typing import Any, cast

from countersign_export_worker.connectors.registry import OpenConnector
from countersign_export_worker.errors import PermanentDeliveryError
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import ErpConnectorPort, WorkPort


class CrashPoint(StrEnum):
    """Where to end, in the order of a delivery; the withdrawal's points come last."""

    BEFORE_STAGE = "before_stage"
    DURING_WRITE = "during_write"
    BEFORE_STAGED_REPORT = "before_staged_report"
    AFTER_STAGED_REPORT = "after_staged_report"
    BEFORE_RENAME = "before_rename"
    AFTER_RENAME = "after_rename"
    BEFORE_SEND = "before_send"
    AFTER_SEND = "after_send"
    BEFORE_SENT_REPORT = "before_sent_report"
    AFTER_SENT_REPORT = "after_sent_report"
    BEFORE_WITHDRAW = "before_withdraw"
    AFTER_WITHDRAW = "after_withdraw"
    BEFORE_FAILED_REPORT = "before_failed_report"
    AFTER_FAILED_REPORT = "after_failed_report"


# Reached only by a delivery that fails after its file was staged.
WITHDRAWAL_POINTS = frozenset(
    {
        CrashPoint.BEFORE_WITHDRAW,
        CrashPoint.AFTER_WITHDRAW,
        CrashPoint.BEFORE_FAILED_REPORT,
        CrashPoint.AFTER_FAILED_REPORT,
    }
)

# Reached only by a direct connector, which has no rename and no write of its own.
SEND_POINTS = frozenset({CrashPoint.BEFORE_SEND, CrashPoint.AFTER_SEND})

_AROUND = {
    "stage": (CrashPoint.BEFORE_STAGE, None),
    "publish": (CrashPoint.BEFORE_RENAME, CrashPoint.AFTER_RENAME),
    "send": (CrashPoint.BEFORE_SEND, CrashPoint.AFTER_SEND),
    "withdraw": (CrashPoint.BEFORE_WITHDRAW, CrashPoint.AFTER_WITHDRAW),
    "report_staged": (CrashPoint.BEFORE_STAGED_REPORT, CrashPoint.AFTER_STAGED_REPORT),
    "report_sent": (CrashPoint.BEFORE_SENT_REPORT, CrashPoint.AFTER_SENT_REPORT),
    "report_failed": (CrashPoint.BEFORE_FAILED_REPORT, CrashPoint.AFTER_FAILED_REPORT),
}


def crash() -> None:
    """End this process at once; no code of it runs any more. Or stop it, once, until woken."""
    if "COUNTERSIGN_TEST_SLEEP" not in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    # A report that is repeated passes here again.
    if os.environ["COUNTERSIGN_TEST_SLEEP"] == "1":
        os.environ["COUNTERSIGN_TEST_SLEEP"] = "slept"
        os.kill(os.getpid(), signal.SIGSTOP)


class _Crashing:
    """Any port, with an end before or after one of its calls."""

    def __init__(self, inner: Any, point: CrashPoint | None) -> None:
        self._inner = inner
        self._point = point

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        before, after = _AROUND.get(name, (None, None))
        if self._point is None or self._point not in (before, after):
            return attribute
        return partial(self._call, attribute, before=before)

    async def _call(
        self,
        method: Callable[..., Awaitable[Any]],
        *args: Any,
        before: CrashPoint | None,
        **options: Any,
    ) -> Any:
        if self._point is before:
            crash()
            return await method(*args, **options)
        result = await method(*args, **options)
        crash()
        return result


class _CrashingConnector(_Crashing):
    """The same, and a write that is cut in half."""

    def __init__(self, inner: Any, point: CrashPoint | None, *, fail_publish: bool) -> None:
        super().__init__(inner, point)
        self._fail_publish = fail_publish

    def __getattr__(self, name: str) -> Any:
        if name == "stage" and self._point is CrashPoint.DURING_WRITE:
            return self._stage_half
        if name == "publish" and self._fail_publish:
            return self._refuse
        return super().__getattr__(name)

    async def _stage_half(self, name: DropName, document: bytes) -> None:
        await self._inner.stage(name, document[: len(document) // 2])
        crash()

    async def _refuse(self, staged: DropName) -> None:
        del staged
        raise PermanentDeliveryError("PERMISSION_DENIED", "The test refuses to publish.")


def crashing_work(point: CrashPoint | None) -> Callable[[WorkPort], WorkPort]:
    """What bootstrap.build takes as `wrap_work`."""
    return lambda work: cast("WorkPort", _Crashing(work, point))


def crashing_connector(
    point: CrashPoint | None, *, fail_publish: bool
) -> Callable[[OpenConnector], OpenConnector]:
    """What bootstrap.build takes as `wrap_connector`; `fail_publish` makes every publish fail."""

    def wrap(open_connector: OpenConnector) -> OpenConnector:
        return lambda access: cast(
            "ErpConnectorPort",
            _CrashingConnector(open_connector(access), point, fail_publish=fail_publish),
        )

    return wrap
