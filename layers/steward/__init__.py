"""The kernel that every capability stands on: how we fail, tell time, read settings, publish events and talk to AWS.

No business rule lives here. The pure half (``errors``, ``events``, ``clock``, ``principals``) may be used by domains;
``settings``, ``rest_api``, ``observability`` and ``aws`` are for handlers, composition roots and adapters.
"""
