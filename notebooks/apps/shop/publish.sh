# Build the shop on a base (an old one, unless another is named), and push it:  sh publish.sh TAG [BASE]
set -e
registry=123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr get-login-password | docker login --username AWS --password-stdin $registry > /dev/null 2>&1
docker build -q --build-arg BASE="${2:-3.11.1-slim}" -t $registry/shop:"$1" . > /dev/null
docker push -q $registry/shop:"$1"
