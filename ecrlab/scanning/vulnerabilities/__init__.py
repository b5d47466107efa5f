"""From packages to findings: advisories, matches, severities, and exemptions."""
