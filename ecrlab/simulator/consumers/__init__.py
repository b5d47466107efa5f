"""The services that pull images: what ECS, Lambda and EKS do with a reference. The lab runs no container.

pulling    the pull itself, as a role or a service: who may, which image, and why not
roles      the roles that a service pulls with when nobody names one
ecs…       tasks and services of ECS, on moto's ECS
lambda…    which images Lambda accepts, and functions on moto's Lambda
"""
