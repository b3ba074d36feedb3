"""Install the additions one by one, and print which names of MiniStack each of them replaces, as JSON.

A name counts as replaced when what stands there now does not call what stood there before, and as wrapped when it does.
"""

import importlib
import json
import logging
import sys
from types import ModuleType, SimpleNamespace

LOOKS_NO_DEEPER = 6


def names_of_ministack():
    """Name, below the package -> object, for functions, classes and the entries of tables of functions.

    A table that several modules share is found under the last of them.
    """
    found, tables = {}, {}
    for module_name, module in sorted(sys.modules.items()):
        if module_name.startswith("ministack.") and module:
            for name, value in vars(module).items():
                where = f"{module_name.removeprefix('ministack.')}.{name}"
                if type(value) is dict and not name.startswith("__"):
                    tables[id(value)] = where, value
                elif _is_code(value):
                    found[where] = value
    for where, table in tables.values():
        found |= {f"{where}[{key}]": entry for key, entry in table.items() if _is_code(entry)}
    return found


def _is_code(value):
    """A function, a class, a module or what stands for one, or the functions of one resource type."""
    is_table = isinstance(value, dict) and any(callable(entry) for entry in value.values())
    return callable(value) or is_table or isinstance(value, ModuleType | SimpleNamespace)


def calls(new, old, depth=0):
    """Whether a function keeps another one that it can call."""
    if isinstance(new, dict) and isinstance(old, dict):
        return new.keys() == old.keys() and any(calls(new[key], old[key]) for key in old)
    if depth > LOOKS_NO_DEEPER:
        return False
    kept = [cell.cell_contents for cell in getattr(new, "__closure__", None) or ()]
    kept += [entry for value in kept if isinstance(value, dict) for entry in value.values()]
    return any(value is old or (callable(value) and calls(value, old, depth + 1)) for value in kept)


def main():
    logging.disable(logging.ERROR)
    importlib.import_module("ministack.app")
    additions = importlib.import_module("local.additions")
    for addition in additions.ADDITIONS:
        assert addition.is_still_missing(), addition
    report, before = {}, _copied(names_of_ministack())
    for addition in additions.ADDITIONS:
        addition.install()
        after = _copied(names_of_ministack())
        report[addition.__name__] = sorted(
            name
            for name, value in after.items()
            if (name not in before or (before[name] is not value and before[name] != value))
            and not calls(value, before.get(name))
        )
        before = after
    sys.stdout.write(json.dumps(report))


def _copied(names):
    """With tables copied, because additions change them in place."""
    return {name: dict(value) if isinstance(value, dict) else value for name, value in names.items()}


if __name__ == "__main__":
    main()
