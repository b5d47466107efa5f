"""moto's services beside ours, and our ECR under moto's `mock_aws`."""
