"""From an image's layers to its files: what can be scanned, how it is unpacked, and the bounds on hostile input."""
