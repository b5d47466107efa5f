"""A tiny shop, for a lesson about what comes with an image."""

print("open")
