"""How results develop over runs, as a page."""
