"""What the FiftyOne App shows and does: the plugin's other half."""
