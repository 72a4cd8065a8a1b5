"""The one place that builds what the service is made of."""

from datetime import timedelta

from countersign_platform.database.pool import Database
from countersign_push.commands.batch_push import BatchPush
from countersign_push.commands.get_export import GetExport
from countersign_push.commands.list_exports import ListExports
from countersign_push.commands.preview_export import PreviewExport
from countersign_push.commands.push_draft import PushDraft
from countersign_push.commands.resolve_export import ResolveExport
from countersign_push.commands.retry_push import RetryPush
from countersign_push.ports import ReplayCache, WakeUp
from countersign_push.pusher import Pusher
from countersign_push.servicers.push import PushCommands, PushServicer
from countersign_push.store.exports import ExportStore
from countersign_push.store.push import PushStore
from countersign_push.store.push_findings import FindingsStore
from countersign_push.store.resolutions import ResolutionStore


def build_push_servicer(
    database: Database, replays: ReplayCache, wake: WakeUp, key_lifetime: timedelta
) -> PushServicer:
    """PushService over `database`; `wake` is called after each commit."""
    exports = ExportStore(database)
    pusher = Pusher(PushStore(database), FindingsStore(database), replays, wake, key_lifetime)
    return PushServicer(
        PushCommands(
            push=PushDraft(pusher),
            retry=RetryPush(pusher),
            batch=BatchPush(pusher),
            get=GetExport(exports),
            list=ListExports(exports),
            preview=PreviewExport(exports),
            resolve=ResolveExport(exports, ResolutionStore(database), wake),
        )
    )
