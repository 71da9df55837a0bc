"""Load the plugin from the source tree, and pytester for the framework's own tests."""

pytest_plugins = ["infraspec.pytest_plugin.plugin", "pytester"]
