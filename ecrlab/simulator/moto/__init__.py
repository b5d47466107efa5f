"""moto's services beside ours, and ours under moto."""
