"""The FiftyOne App plugin of labelnext."""
