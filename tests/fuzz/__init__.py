"""The number of random inputs, and a quick way to generate them.

Hypothesis needs a millisecond or two for each input that it makes. Here it provides the
seed of a whole batch; a failure reports the seed, and notes the input.
AIRPLAY_INPUTS is the number of inputs.
"""

import os

from hypothesis import settings

INPUTS = int(os.environ.get("AIRPLAY_INPUTS", "10000"))
AT_ONCE = 100

BATCHES = settings(max_examples=INPUTS // AT_ONCE, deadline=None)
