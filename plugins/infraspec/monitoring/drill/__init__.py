"""Failures made on a simulated clock: who hears of each, at which level, and after how many minutes."""
