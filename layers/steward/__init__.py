"""The kernel shared by every capability: errors, time, settings, published events and access to AWS.

No business rule lives here. Domains may use its pure half: ``errors``, ``events``, ``clock``, ``principals``,
``severity``, ``severities``. ``settings``, ``rest_api``, ``observability``, ``aws`` are for handlers, composition roots
and adapters.
"""
