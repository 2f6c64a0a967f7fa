"""All servers of the corpus."""

from ..row import Row
from . import answers, lists, radio, transfers

_MODULES = (transfers, radio, answers, lists)

SERVERS: list[Row] = [row for module in _MODULES for row in module.rows()]
