"""Image scanning in a lab: when an image is scanned, what comes of it, and who is told.

on_push        the scan that comes with a push, and the nights of continuous scanning; light, for every lab has it
scanner        scans as a push, a call or a question asks for them
verdicts       an image read once, and judged as of any instant
basic          findings in the words of ECR's basic scanning
inspector      findings in Amazon Inspector's words, for enhanced scanning
watch          enhanced scanning: the first scan of an image, and each night's new findings
events         what EventBridge hears of all that
security_hub   the same findings in the AWS Security Finding Format

All but `on_push` are imported when the first image is scanned.
"""
