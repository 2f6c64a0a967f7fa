"""How much is tried where anything may come, and how it is made quickly.

Hypothesis takes a millisecond or two for each input that it makes. From it comes here
what a whole batch is drawn with; a failure tells the seed, and notes what was tried.
AIRPLAY_INPUTS is how many inputs there are.
"""

import os

from hypothesis import settings

INPUTS = int(os.environ.get("AIRPLAY_INPUTS", "10000"))
AT_ONCE = 100

BATCHES = settings(max_examples=INPUTS // AT_ONCE, deadline=None)
