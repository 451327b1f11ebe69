"""Detections in COCO's form."""
