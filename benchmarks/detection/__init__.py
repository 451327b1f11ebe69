"""Questions about detection."""
