"""How the core's property tests run."""

from hypothesis import settings

# Time limits of single examples would fail by chance if other processes run.
settings.register_profile("core", deadline=None)
settings.load_profile("core")
