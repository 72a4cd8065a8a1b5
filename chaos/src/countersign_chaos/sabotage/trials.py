"""For each protection: how it is switched off, and the run that shows it missing."""

from dataclasses import dataclass, field, replace
from typing import Any

from countersign_chaos.run import Options
from countersign_chaos.world.steps import Step
from countersign_chaos.world.terms import Terms

_HERE = "countersign_chaos.sabotage"
_WITHOUT_INDEX = "DROP INDEX push.a_draft_has_at_most_one_active_export"


def _replaced(function: str, old: str, new: str) -> str:
    """A statement that puts `new` for `old` in a function's body; fails if `old` is not there."""
    return f"""DO $do$
    DECLARE
        v_old text := pg_get_functiondef('{function}'::regproc);
        v_new text := replace(v_old, $old${old}$old$, $new${new}$new$);
    BEGIN
        ASSERT v_old <> v_new, 'the function is not what it was';
        EXECUTE v_new;
    END $do$"""


_ANY_STATE = _replaced(
    "approval.move_draft",
    "d.status = ANY (p_from)",
    "(d.status = ANY (p_from) OR (p_to, d.status) = ('PUSHING', 'PUSHING'))",
)
_RECORD_AGAIN = _replaced(
    "audit.append_events", "k.org_id = s.org_id AND k.event_id = s.event_id", "false"
)


@dataclass(frozen=True, slots=True)
class Trial:
    """A run without one protection. `redundant`: why no run can show that it is missing."""

    protection: str
    modules: dict[str, str] = field(default_factory=dict)
    sql: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    # Steps at which workers end, and how soon: brings rare meetings about.
    steps: tuple[Step, ...] | None = None
    latest_passage: int | None = None
    sleeps: float | None = None
    redundant: str = ""

    def options(self, options: Options) -> Options:
        """The same run in this build."""
        terms = Terms(
            replicas=options.terms.replicas,
            settings=options.terms.settings | self.settings,
            modules=self.modules,
            sql=self.sql,
        )
        return replace(
            options,
            terms=terms,
            steps=self.steps,
            latest_passage=self.latest_passage,
            sleeps=self.sleeps,
        )


# Workers fall asleep with a file written and not reported, others take over and fall asleep there,
# too, and the first ones wake up meanwhile.
_LATE_REPORTS: dict[str, Any] = {
    "steps": (Step.BEFORE_STAGED_REPORT,),
    "latest_passage": 3,
    "sleeps": 1.0,
}
_ON_RECORD = "the record in push says what is due, and the reconciler offers it again"

TRIALS: dict[str, Trial] = {
    "fence": Trial(
        "a report counts only under the current lease",
        modules={"push": f"{_HERE}.without_fence"},
        redundant="a worker also stops by its own clock before its lease is over; where that "
        "clock stood still, nothing else does: see fence-and-lease-keeper",
        **_LATE_REPORTS,
    ),
    "lease-keeper": Trial(
        "a worker stops before its lease is over",
        modules={"worker": f"{_HERE}.without_lease_keeper"},
        redundant="the fence refuses its reports",
        **_LATE_REPORTS,
    ),
    "fence-and-lease-keeper": Trial(
        "either of the fence and the lease keeper",
        modules={
            "push": f"{_HERE}.without_fence",
            "worker": f"{_HERE}.without_lease_keeper",
        },
        **_LATE_REPORTS,
    ),
    "staged-report": Trial(
        "the token is on record before it is renamed",
        modules={"worker": f"{_HERE}.without_staged_report"},
        steps=(Step.AFTER_RENAME, Step.BEFORE_SENT_REPORT),
        latest_passage=5,
        sleeps=0.0,
    ),
    "unique-index": Trial(
        "at most one active export per draft, by a partial unique index",
        sql=(_WITHOUT_INDEX,),
        redundant="the same statement moves the draft from APPROVED under its row lock, which "
        "only one of two pushes can; off with that: see unique-index-and-state",
    ),
    "unique-index-and-state": Trial(
        "either of the index and the draft's own state",
        sql=(_WITHOUT_INDEX, _ANY_STATE),
    ),
    "publisher-confirms": Trial(
        "a message counts as sent once the broker keeps it",
        modules={"push": f"{_HERE}.without_confirms"},
        redundant=_ON_RECORD,
    ),
    "outbox": Trial(
        "what is told to others is kept until they have it",
        modules=dict.fromkeys(("push", "approval"), f"{_HERE}.without_outbox"),
    ),
    "audit-deduplication": Trial(
        "an event is appended once, however often it is sent",
        sql=("ALTER TABLE audit.event_ids DROP CONSTRAINT event_ids_pkey", _RECORD_AGAIN),
    ),
    "ack-after-report": Trial(
        "a message is acknowledged after the end is on record",
        modules={"worker": f"{_HERE}.ack_at_receipt"},
        redundant=_ON_RECORD,
    ),
    "answer-after-report": Trial(
        "the ERP's answer is filed away after it is on record",
        modules={"worker": f"{_HERE}.answer_filed_first"},
        steps=(Step.BEFORE_ANSWER_REPORT,),
        latest_passage=20,
        sleeps=0.0,
    ),
    "reconciler": Trial(
        "what is due and free is offered again",
        modules={"push": f"{_HERE}.without_reconciler"},
        redundant="any later message makes a worker deliver all that is due; what the last lost "
        "message leaves when nobody pushes any more, push's test_reconciler.py shows",
    ),
}
