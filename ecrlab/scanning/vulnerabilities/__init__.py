"""From packages to findings: advisories, how versions compare, and how bad a finding is."""
