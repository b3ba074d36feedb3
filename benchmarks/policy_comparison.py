"""How fast and how right the policy comparison is on the corpora, beside PolicyGlass on the same pairs.

    python benchmarks/policy_comparison.py [--without-policyglass]

Every pair is compared as it comes, documents not yet read, on one core. `compare` answers both directions at once.
PolicyGlass (PyPI) is installed into a virtual environment of its own, for it imports only with pydantic 1; a pair is
right when its two differences, live minus baseline and baseline minus live, are empty as the reference says.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"
SECONDS_PER_PAIR = 2
sys.path.insert(0, str(ROOT / "functions"))

#: Runs inside the environment of PolicyGlass: reads pairs from stdin, a line each, and answers each with a line.
POLICYGLASS = """
import json, signal, sys, time
from policyglass import Policy, policy_shards_effect

def shards(document):
    return policy_shards_effect(Policy(**document).policy_shards)

def difference(first, second):
    left = first
    for other in second:
        left = [rest for shard in left for rest in shard.difference(other)]
    return left

class TookTooLong(Exception):
    pass

def alarm(*_):
    raise TookTooLong

signal.signal(signal.SIGALRM, alarm)
for line in sys.stdin:
    pair = json.loads(line)
    started = time.perf_counter()
    try:
        signal.alarm(SECONDS)
        baseline, live = shards(pair["baseline"]), shards(pair["live"])
        broader, narrower = bool(difference(live, baseline)), bool(difference(baseline, live))
        answer = [["EQUIVALENT", "BROADENED"], ["NARROWED", "INCOMPARABLE"]][narrower][broader]
    except Exception as error:
        answer = "error: " + type(error).__name__
    finally:
        signal.alarm(0)
    print(json.dumps([answer, time.perf_counter() - started]), flush=True)
""".replace("SECONDS", str(SECONDS_PER_PAIR))


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--without-policyglass", action="store_true")
    asked = options.parse_args()
    pairs = read_pairs()
    answers, seconds = ours(pairs)
    print(f"pairs: {len(pairs)}, with a reference: {sum(pair['reference'] is not None for pair in pairs)}")
    show("policy_drift", pairs, answers, seconds)
    print(
        f"policy_drift: peak memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )
    if not asked.without_policyglass:
        theirs, their_seconds = policyglass(pairs)
        show("PolicyGlass", pairs, theirs, their_seconds)
        answered = [place for place, answer in enumerate(theirs) if not answer.startswith("error")]
        both = sum(their_seconds[place] for place in answered), sum(seconds[place] for place in answered)
        print(f"time on the {len(answered)} pairs that PolicyGlass answers: {both[0]:.2f} s against {both[1]:.2f} s")
        print(f"ratio of the totals: {both[0] / both[1]:.1f}")
        ratios = sorted(their_seconds[place] / seconds[place] for place in answered)
        print(f"median ratio per pair: {ratios[len(ratios) // 2]:.1f}")


def read_pairs() -> list[dict[str, Any]]:
    """The rows of both corpora."""
    pairs = []
    for name in ("mamip_dev.jsonl.gz", "quacky_dev.jsonl.gz"):
        with gzip.open(CORPORA / name, "rt", encoding="utf-8") as lines:
            pairs += [json.loads(line) for line in lines]
    return pairs


def ours(pairs: list[dict[str, Any]]) -> tuple[list[str], list[float]]:
    """Verdicts, and seconds for each."""
    from policy_drift.domain.language import compare  # noqa: PLC0415 - after the path is set

    answers, seconds = [], []
    for pair in pairs:
        started = perf_counter()
        verdict = compare([pair["baseline"]], [pair["live"]]).verdict
        seconds.append(perf_counter() - started)
        answers.append(verdict.value)
    return answers, seconds


def policyglass(pairs: list[dict[str, Any]]) -> tuple[list[str], list[float]]:
    """The same of PolicyGlass."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "policyglass", "pydantic<2"]
        subprocess.run(install, check=True, stdout=sys.stderr)
        lines = "".join(json.dumps({side: pair[side] for side in ("baseline", "live")}) + "\n" for pair in pairs)
        run = subprocess.run([python, "-c", POLICYGLASS], input=lines, check=True, capture_output=True, text=True)
    answered = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("[")]
    return [answer for answer, _ in answered], [seconds for _, seconds in answered]


def show(name: str, pairs: list[dict[str, Any]], answers: list[str], seconds: list[float]) -> None:
    """Print what was answered, how much of it is right, and the time it took."""
    kinds = Counter(answer if answer.startswith("error") else "answered" for answer in answers)
    judged = [(pair["reference"], answer) for pair, answer in zip(pairs, answers, strict=True) if pair["reference"]]
    right = sum(reference == answer for reference, answer in judged)
    print(f"{name}: {dict(kinds)}, UNKNOWN {answers.count('UNKNOWN')}, right {right} of {len(judged)}")
    ordered = sorted(1000 * one for one in seconds)
    print(
        f"{name}: median {ordered[len(ordered) // 2]:.2f} ms, p99 {ordered[len(ordered) * 99 // 100]:.1f} ms, "
        f"worst {ordered[-1]:.0f} ms, total {sum(seconds):.2f} s"
    )


if __name__ == "__main__":
    main()
