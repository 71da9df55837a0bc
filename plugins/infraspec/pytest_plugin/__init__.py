"""What pytest sees: the plugin, its options and hooks, and the fixtures of suites and own rules."""
