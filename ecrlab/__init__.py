"""Learn Amazon ECR with a faithful simulator on your own machine."""

__version__ = "0.1.0"
