"""What holds for all tests."""

from hypothesis import settings

# a test is judged by what happens in press time; how long the machine that runs it takes says nothing
settings.register_profile("press", deadline=None)
settings.load_profile("press")
