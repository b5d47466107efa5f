"""The AWS face: ECR's JSON API, one module of operations for each noun."""
