"""Quality of predictions and labels: calibration, label review, stopping signals."""
