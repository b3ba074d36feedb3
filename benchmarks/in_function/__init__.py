"""What is measured with the function's own wiring: programs that run on the built artefact, in its environment.

Each is started by :mod:`benchmarks.function_process` and prints one JSON document.
"""
