"""What AWS has, as the models that checks read."""
