"""Reads and replaces the org's approval policy."""

from decimal import Decimal

from countersign_approval.acts import outbox_headers, policy_act
from countersign_approval.order_value import decimal_text
from countersign_approval.ports import Policies, WakeUp
from countersign_approval.refusals import lost_every_race
from countersign_platform.rpc.call import Call

_ATTEMPTS = 4


class GetApprovalPolicy:
    """The four-eyes threshold of the caller's org."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    async def __call__(self, call: Call) -> Decimal | None:
        """The threshold; None when it is off."""
        return await self._policies.read(call.org_id)


class SetApprovalPolicy:
    """Sets the four-eyes threshold of the caller's org, or switches it off."""

    def __init__(self, policies: Policies, wake: WakeUp) -> None:
        self._policies = policies
        self._wake = wake

    async def __call__(self, call: Call, threshold: Decimal | None) -> Decimal | None:
        """The threshold as stored; one that is set already is neither written nor recorded."""
        for _ in range(_ATTEMPTS):
            seen = await self._policies.read(call.org_id)
            if seen == threshold:
                return seen
            replaced = await self._policies.replace(
                call.org_id,
                seen=seen,
                threshold=threshold,
                act=policy_act(call, _text(seen), _text(threshold)),
                headers=outbox_headers(call),
            )
            if replaced:
                self._wake()
                return threshold
        raise lost_every_race()


def _text(threshold: Decimal | None) -> str:
    return "" if threshold is None else decimal_text(threshold)
