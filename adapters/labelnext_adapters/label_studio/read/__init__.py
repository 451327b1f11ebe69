"""From a project's tasks to a Pool."""
