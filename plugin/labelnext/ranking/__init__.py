"""From a pool to a ranking: the recipe, the order, and why an item stands where it stands."""
