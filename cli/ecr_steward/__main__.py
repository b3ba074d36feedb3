"""The command ``steward``, and ``python -m ecr_steward``."""

import sys


def run() -> None:
    """Run as a program: one repository at once, everything else by `ecr_steward.app`."""
    from ecr_steward import one_name

    code = one_name.ensure(sys.argv[1:])
    if code is None:
        from ecr_steward.app import main

        code = main()
    sys.exit(code)


if __name__ == "__main__":
    run()
