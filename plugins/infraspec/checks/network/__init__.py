"""The network between tasks and what they have to reach, and between load balancers and tasks."""
