"""What OCI and Docker say of images: media types, and layers as tar archives."""
