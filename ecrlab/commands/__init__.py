"""The commands of the kit, `python3 -m ecrlab NAME`, with one module named after each."""
