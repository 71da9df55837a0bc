"""Where the plugin was before 0.2: `pytest_plugins = ["infraspec.plugin"]` and `-p infraspec.plugin` still load it."""

pytest_plugins = ["infraspec.pytest_plugin.plugin"]
