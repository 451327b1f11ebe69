"""How far predictions and labels can be trusted."""
