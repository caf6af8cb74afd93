"""What is done to published tables between nights: publish, roll back, collect garbage, forget, compact, explain."""
