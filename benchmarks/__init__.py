"""What ECR Steward does against what a user would use instead: ratios, each measured when asked for, none stored.

``python -m benchmarks`` (``make bench``) measures everything on the local AWS; ``--help`` names the measurements.
"""
