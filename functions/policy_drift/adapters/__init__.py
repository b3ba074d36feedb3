"""AWS behind the ports of policy drift."""
