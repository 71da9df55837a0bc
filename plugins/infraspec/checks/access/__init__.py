"""Whether every role can do what its workload needs."""
