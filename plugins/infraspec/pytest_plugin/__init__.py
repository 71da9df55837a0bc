"""What pytest sees: the plugin, its options and hooks, and the fixtures of suites and own rules.

The entry point `infraspec` is this package, so that `-p no:infraspec` leaves the plugin out, and `-p` may name
its module.
"""

pytest_plugins = ["infraspec.pytest_plugin.plugin"]
