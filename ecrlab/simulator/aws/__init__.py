"""The AWS face: ECR's JSON API, with one module of operations for each noun."""
