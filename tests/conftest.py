"""Settings of every test: no examples are judged by the time they take, which depends on what else runs."""

from hypothesis import settings

settings.register_profile("infraspec", deadline=None)
settings.load_profile("infraspec")
