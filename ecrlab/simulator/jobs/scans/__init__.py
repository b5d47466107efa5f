"""Image scanning in a lab: when an image is scanned, what is found, and where findings are announced.

on_push        the scan after a push, and the nights of continuous scanning; light, because every lab imports it
scanner        scans on request, and what is known of an image
verdicts       the contents of an image, read once, and judged as of any instant
basic          findings in the format of ECR's basic scanning
inspector      findings in Amazon Inspector's format, for enhanced scanning
watch          enhanced scanning: the first scan of an image, and each night's new findings
events         the events of scans for EventBridge
security_hub   the findings in the AWS Security Finding Format

All but `on_push` are imported when the first image is scanned.
"""
