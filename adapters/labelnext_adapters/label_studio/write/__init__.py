"""From a ranking to the data of tasks, their predictions and a tab."""
