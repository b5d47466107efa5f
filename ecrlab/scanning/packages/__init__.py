"""From files to packages: the databases of package managers, and what each package is called."""
