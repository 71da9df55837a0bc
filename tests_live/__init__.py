"""The live suite: from what is deployed to a verdict."""
