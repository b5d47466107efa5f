"""The learner's machine: the environment the kit runs in, the labs that are running, and JupyterLab."""
