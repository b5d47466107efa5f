"""What a registry does by itself: lifecycle policies at midnight, scans after a push."""
