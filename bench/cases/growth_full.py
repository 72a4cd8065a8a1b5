"""growth with ten million drafts and a hundred thousand waiting exports: 15 GB, ten minutes."""

from bench.cases.growth import measure
from bench.measure.rounds import Result
from bench.options import Options


async def run(options: Options) -> Result:
    """As growth, at the size that the target names."""
    return await measure("growth_full", options, 10_000_000, 100_000)
