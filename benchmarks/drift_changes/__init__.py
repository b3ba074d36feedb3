"""Real changes of IAM on the deployed stack: what is reported of each, where, how severe, with what proof, how soon.

``changes`` and ``baseline`` say what is done and what must be told of it; ``session`` does it, ``ears`` hear the bus
and the topic, and ``table`` holds the one against the other.
"""
