echo "Hello from a container that came out of Amazon ECR."
