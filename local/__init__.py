"""AWS on a laptop: the stack of ``template.yaml`` on a local AWS, without Docker, an AWS account or root.

``python -m local start`` starts MiniStack on 127.0.0.1 with IAM enforced, deploys the stack with the same
``sam build`` and ``sam deploy`` that production uses, and shows the main job at work. What MiniStack lacks for
this stack stands in :mod:`local.additions`, one module per thing that it adds. See ``docs/local-aws.md``.
"""
