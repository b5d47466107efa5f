"""The commands of the kit, one module each, named as they are typed: `python3 -m ecrlab NAME`."""
