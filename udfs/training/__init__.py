"""Training of models: data, objectives, loop, processes. No Spark here; what trains is reached by name from a task or a process."""
