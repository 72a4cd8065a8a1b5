"""Every SQL statement of the audit service. What it may do is set by the grants of its role."""

from countersign_audit.store.holds import HoldStore
from countersign_audit.store.months import MonthStore
from countersign_audit.store.seals import SealStore
from countersign_audit.store.trail import Store

__all__ = ["HoldStore", "MonthStore", "SealStore", "Store"]
