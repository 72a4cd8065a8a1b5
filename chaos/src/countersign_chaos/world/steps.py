"""Steps at which a worker's life can end."""

from enum import StrEnum


class Step(StrEnum):
    """In the order of a delivery; the ERP's answer comes last."""

    BEFORE_STAGE = "before_stage"
    DURING_WRITE = "during_write"
    BEFORE_STAGED_REPORT = "before_staged_report"
    AFTER_STAGED_REPORT = "after_staged_report"
    BEFORE_RENAME = "before_rename"
    AFTER_RENAME = "after_rename"
    BEFORE_SENT_REPORT = "before_sent_report"
    AFTER_SENT_REPORT = "after_sent_report"
    BEFORE_ANSWER_REPORT = "before_answer_report"
    AFTER_ANSWER_REPORT = "after_answer_report"


# Before and after which call of the worker's ports each is.
AROUND: dict[str, tuple[Step, Step | None]] = {
    "stage": (Step.BEFORE_STAGE, None),
    "publish": (Step.BEFORE_RENAME, Step.AFTER_RENAME),
    "report_staged": (Step.BEFORE_STAGED_REPORT, Step.AFTER_STAGED_REPORT),
    "report_sent": (Step.BEFORE_SENT_REPORT, Step.AFTER_SENT_REPORT),
    "report_ack": (Step.BEFORE_ANSWER_REPORT, Step.AFTER_ANSWER_REPORT),
}
