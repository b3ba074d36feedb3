"""How fast and how right the policy comparison is on the corpora, beside PolicyGlass on the same pairs.

    python benchmarks/policy_comparison.py [--without-policyglass | --seconds 2]

Every pair is compared as it comes, documents not yet read, on one core. `compare` answers both directions at once.
PolicyGlass (PyPI) is installed into a virtual environment of its own, for it imports only with pydantic 1; a pair is
right when its two differences, live minus baseline and baseline minus live, are empty as the reference says. A pair
that takes it longer than the limit counts as not answered, and so does one for which 2 GB are not enough.
"""

import argparse
import gzip
import json
import resource
import select
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
sys.path.insert(0, str(ROOT / "layers"))

#: Runs inside the environment of PolicyGlass: reads pairs from stdin, a line each, and answers each with a line.
POLICYGLASS = """
import json, resource, sys, time
from policyglass import Policy, policy_shards_effect

resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))

def shards(document):
    return policy_shards_effect(Policy(**document).policy_shards)

def difference(first, second):
    left = first
    for other in second:
        left = [rest for shard in left for rest in shard.difference(other)]
    return left

print("ready", flush=True)
for line in sys.stdin:
    pair = json.loads(line)
    started = time.perf_counter()
    try:
        baseline, live = shards(pair["baseline"]), shards(pair["live"])
        broader, narrower = bool(difference(live, baseline)), bool(difference(baseline, live))
        answer = [["EQUIVALENT", "BROADENED"], ["NARROWED", "INCOMPARABLE"]][narrower][broader]
    except Exception as error:
        answer = "error: " + type(error).__name__
    taken = time.perf_counter() - started
    print(json.dumps([answer, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]), flush=True)
""".replace("BYTES", str(2 * 1024**3))


class PolicyGlass:
    """PolicyGlass in a process of its own, which is ended when a pair takes too long, and started again.

    Parameters
    ----------
    python : str
        The interpreter of an environment in which PolicyGlass is installed.
    seconds : float
        What a pair may take.
    """

    def __init__(self, python: str, seconds: float) -> None:
        self._command = [python, "-c", POLICYGLASS]
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self.megabytes = 0.0

    def compare(self, pair: dict[str, Any]) -> tuple[str, float]:
        """The verdict, or an error; and the seconds taken."""
        process = self._process or self._started()
        print(json.dumps({side: pair[side] for side in ("baseline", "live")}), file=process.stdin, flush=True)
        line = self._line(process, self._seconds)
        if not line:
            self.close()
            return "error: no answer in time or memory", self._seconds
        answer, seconds, megabytes = json.loads(line)
        self.megabytes = max(self.megabytes, megabytes)
        return answer, seconds

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _started(self) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self._process = process
        if self._line(process, 60) != "ready\n":
            sys.exit("PolicyGlass does not start")
        return process

    @staticmethod
    def _line(process: "subprocess.Popen[str]", seconds: float) -> str:
        """The next line of its output, or none when it takes longer or the process ends."""
        output = process.stdout
        return output.readline() if output is not None and select.select([output], [], [], seconds)[0] else ""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--without-policyglass", action="store_true")
    options.add_argument("--seconds", type=float, default=2, help="what a pair may take PolicyGlass")
    asked = options.parse_args()
    pairs = read_pairs()
    answers, seconds = ours(pairs)
    print(f"pairs: {len(pairs)}, with a reference: {sum(pair['reference'] is not None for pair in pairs)}")
    show("iam_policy", pairs, answers, seconds)
    print(f"iam_policy: peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", flush=True)
    if not asked.without_policyglass:
        theirs, their_seconds, megabytes = policyglass(pairs, asked.seconds)
        show("PolicyGlass", pairs, theirs, their_seconds)
        print(f"PolicyGlass: peak memory where it answered {megabytes:.0f} MB")
        both = [
            place
            for place, answer in enumerate(theirs)
            if not answer.startswith("error") and answers[place] != "UNKNOWN"
        ]
        totals = sum(their_seconds[place] for place in both), sum(seconds[place] for place in both)
        print(f"time on the {len(both)} pairs that both answer: {totals[0]:.2f} s against {totals[1]:.3f} s")
        print(f"ratio of the totals: {totals[0] / totals[1]:.1f}")
        ratios = sorted(their_seconds[place] / seconds[place] for place in both)
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
    from iam_policy import compare  # noqa: PLC0415 - after the path is set

    answers, seconds = [], []
    for pair in pairs:
        started = perf_counter()
        verdict = compare([pair["baseline"]], [pair["live"]]).verdict
        seconds.append(perf_counter() - started)
        answers.append(verdict.value)
    return answers, seconds


def policyglass(pairs: list[dict[str, Any]], seconds: float) -> tuple[list[str], list[float], float]:
    """The same of PolicyGlass, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "policyglass", "pydantic<2"]
        subprocess.run(install, check=True, stdout=sys.stderr)
        tool = PolicyGlass(python, seconds)
        answered = [tool.compare(pair) for pair in pairs]
        tool.close()
    return [answer for answer, _ in answered], [taken for _, taken in answered], tool.megabytes


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
