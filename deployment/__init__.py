"""What ``make build`` and ``make deploy`` do around SAM: saved answers, and an operator's settings in the artefacts."""
