"""What a repository holds: images, layers and families as values and as tables, read through any boto3 client."""
