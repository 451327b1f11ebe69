"""The Adapter protocol: how a platform's items come in, and how a ranking goes back."""
