"""Training of models: data, objectives, loop, processes. Nothing of Spark; whoever trains reaches it by a task or a process."""
