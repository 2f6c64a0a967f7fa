"""HLS presentations as files."""

from collections.abc import Iterator

from ..hls import PRESENTATIONS, right_of
from ..row import Row


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for name, build in PRESENTATIONS.items():
        yield Row(name=f"hls-{name}", kind="hls", build=build, right=right_of(name))
