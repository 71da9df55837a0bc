"""The sandbox, a local AWS emulator: moto in its own process, with what moto leaves out, filled by applying a plan."""
