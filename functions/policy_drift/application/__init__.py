"""The use cases of policy drift, named as the handlers that call them, and the ports that they need."""
