"""Alarms and how they reach people: metrics, metric filters, event rules, topics."""
