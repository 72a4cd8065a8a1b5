"""Plans of the functions on the way of a push are kept, not made anew at each call."""

from alembic import op

revision = "approval_0002"
down_revision = "approval_0001"

# PostgreSQL takes an array of one state for a special case that is worth a plan of its own, at
# every call; the plan is the same each time and takes longer than the move.
SETTINGS = """
ALTER FUNCTION approval.move_draft SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION approval.draft_status_moves_only_as_listed SET plan_cache_mode = force_generic_plan;
"""


def upgrade() -> None:
    """Settings of two functions; they do what they did."""
    op.execute(SETTINGS)
