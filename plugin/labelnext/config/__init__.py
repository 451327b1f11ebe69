"""The configuration: YAML to typed settings, and what they open."""
