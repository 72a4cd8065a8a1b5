"""The contents that drafts have and once had."""

from uuid import UUID

from countersign_approval.draft import KeptContent
from countersign_approval.draft_content import read_document
from countersign_platform.database.pool import Database

READ = """
SELECT content_version, content, content_sha256, created_at, created_by
  FROM approval.draft_contents
 WHERE org_id = $1 AND draft_id = $2 AND content_version = $3
"""


class ContentStore:
    """Contents of one org at a time; they are added with the drafts and never change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, org_id: UUID, draft_id: UUID, version: int) -> KeptContent | None:
        """The content that this org's draft got at `version`; None when there is none."""
        row = await self._database.fetchrow(READ, org_id, draft_id, version)
        if row is None:
            return None
        return KeptContent(
            version=row["content_version"],
            document=read_document(row["content"]),
            sha256=row["content_sha256"],
            created_at=row["created_at"],
            created_by=row["created_by"],
        )
