"""The learner's machine: the kit's environment, the running labs, and JupyterLab."""
