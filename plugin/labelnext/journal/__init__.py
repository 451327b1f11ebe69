"""Plans, their steps, and the record that lets every run be ended or undone."""
