"""All files of the corpus."""

from ..row import Row
from . import damaged, joined, layouts, lists, lossy, pcm, refused, segments, tags

_MODULES = (
    pcm,
    lossy,
    layouts,
    tags,
    damaged,
    joined,
    lists,
    segments,
    refused,
)

FILES: list[Row] = [row for module in _MODULES for row in module.rows()]
