"""What can go wrong inside the service without being anyone's refusal."""


class PushCollision(Exception):
    """A constraint decided a race: nothing was written, and what stands there can be read."""


class DraftLocked(Exception):
    """Somebody holds a lock on a draft of a push, for longer than others should wait for it."""
