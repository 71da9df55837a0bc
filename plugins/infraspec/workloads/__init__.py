"""What workloads beside a service on ECS need of their roles: who starts tasks, functions, and jobs."""
