"""Policy documents, and who may read a secret."""
