"""The kernel shared by every capability: errors, time, settings, published events and access to AWS.

No business rule lives here. The pure half (``errors``, ``events``, ``clock``, ``principals``) may be used by domains;
``settings``, ``rest_api``, ``observability`` and ``aws`` are for handlers, composition roots and adapters.
"""
