"""From a batch to tasks, and their labels back."""
