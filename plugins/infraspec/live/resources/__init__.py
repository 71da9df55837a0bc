"""The resources that exist: what the catalogue says of their listing, and what is peculiar."""
