"""Tables: what their columns mean, and what they hold."""
