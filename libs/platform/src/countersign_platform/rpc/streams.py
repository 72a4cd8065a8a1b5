"""A reply stream that ends when its server drains, so that a stop need not wait for it."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

_END = object()


async def until_set(event: asyncio.Event, source: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
    """The items of `source`, up to its end or until `event` is set."""
    # One context for all steps, so that the source finds what it bound itself.
    context = contextvars.copy_context()
    ended = asyncio.create_task(_wait(event))
    step: asyncio.Task[Any] | None = None
    try:
        while not ended.done():
            step = asyncio.create_task(_next(source), context=context)
            await asyncio.wait({step, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                return
            item = step.result()
            if item is _END:
                return
            yield item
    finally:
        await _cancel(ended)
        if step is not None:
            await _cancel(step)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _next(source: AsyncIterator[Any]) -> Any:
    return await anext(source, _END)


async def _cancel(task: asyncio.Task[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
