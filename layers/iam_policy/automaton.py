"""All globs of one dimension at once: which of them can match one string together, each case with a shortest example.

The globs run side by side as one nondeterministic automaton whose state is the set of positions reached, held in the
bits of one integer (the Shift-And way of matching). Walking the states that are reachable, letter by letter, meets
every combination of globs that any string can match. Only letters that some glob waits for need to be tried, and one
letter that none of them names, which stands for all the others.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from iam_policy.patterns import ARN_PARTS, FIRST_SYMBOL, tidied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iam_policy.budget import Budget


class Matching(Enum):
    """How a glob is matched."""

    WHOLE = auto()
    FOLDED = auto()
    ARN = auto()


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A set of globs of which any one may match."""

    globs: frozenset[str]
    matching: Matching = Matching.WHOLE


@dataclass(frozen=True, slots=True)
class Combination:
    """Strings that match the same sets.

    Attributes
    ----------
    matched : int
        Bit i is set when they match set i.
    example : str
        One of them.
    has_others : bool
        Whether the example has a letter that no glob names, so that there are any number of other such strings.
    """

    matched: int
    example: str
    has_others: bool


#: A state of so many positions costs a step more, in time and in memory.
_BITS_OF_A_STEP = 512
#: So many characters of globs are made positions in a step.
_CHARACTERS_OF_A_STEP = 4
#: In a glob, added to a symbol: where the text that it stands for begins, and what is left of such a text.
_START, _REST = 0x1000, "\uf8fe"
_LAST_PRIVATE_LETTER = "\uf8ff"
# No capitals: actions are compared in lower case.
_FRESH = "xyzqwvjku0123456789abcdefghilmnoprst_-"


def perhaps(symbol: str, following: str) -> str:
    """The part of a glob that takes a symbol as a whole, and at any other place any text, before what follows."""
    return chr(ord(symbol) + _START) + ("" if following.startswith("*") else _REST)


class Positions:
    """The positions of all globs, one bit each, and what each letter does to them.

    Parameters
    ----------
    like : mapping, optional
        For a symbol a text that globs take as they take what the symbol stands for.
    """

    def __init__(self, like: "Mapping[str, str] | None" = None) -> None:
        self.like = like or {}
        self.starts: dict[str, int] = {}  # of a symbol: positions that take it as a whole
        self.rest = 0  # positions that take any text, until another letter moves them on
        self.size = 0
        self.letters: dict[str, int] = {}
        self.letter_at: dict[int, str] = {}
        self.spellings: dict[str, set[str]] = {}  # of a letter, in globs that ignore capitals
        self.any_letter = 0  # positions that wait for one particular letter
        self.one = 0  # ... for any letter, then move on
        self.many = 0  # ... for any letter, and stay
        self.not_colon = 0  # of `one` and `many`: the part of an ARN that a colon ends
        self.not_symbol = 0  # ... those that may not take the whole text that a symbol stands for
        self.accepting: list[int] = []
        self.forever: list[int] = []  # a set's positions from which it matches whatever follows
        self.of_set: list[int] = []
        self.done: list[int] = []  # one bit for each set that matches whatever follows
        self.all_forever = 0
        self.all_done = 0
        self.all_accepting = 0
        self.start = 0

    def add(self, alternatives: Alternatives) -> None:
        """Put a set of globs beside those that are there."""
        first = self.size
        accepting = forever = 0
        for glob in sorted(alternatives.globs):
            end = self._add_glob(glob, alternatives.matching)
            accepting |= 1 << end
            if glob.endswith("*"):
                forever |= 1 << (end - 1) & ~self.not_colon  # a colon may still come
        done = 1 << self.size
        self.size += 1
        self.accepting.append(accepting | done)
        self.forever.append(forever)
        self.of_set.append(((1 << (self.size - 1)) - 1) & ~((1 << first) - 1))
        self.done.append(done)
        self.all_accepting |= accepting | done
        self.all_forever |= forever
        self.all_done |= done

    def _add_glob(self, glob: str, matching: Matching) -> int:
        self.start |= 1 << self.size
        part = 0
        for character in tidied(glob):
            bit = 1 << self.size
            if character in "*?" or _is_symbol(character, _START):
                if character in ("*", _REST):
                    self.many |= bit
                    self.rest |= bit if character == _REST else 0
                else:
                    self.one |= bit
                    if character != "?":
                        symbol = chr(ord(character) - _START)
                        self.starts[symbol] = self.starts.get(symbol, 0) | bit
                if matching is Matching.ARN and part < ARN_PARTS - 1:
                    self.not_colon |= bit
            else:
                part += character == ":"
                spellings = (
                    {character.lower(), character.upper()}
                    if matching is Matching.FOLDED and character.isascii()
                    else {character}
                )
                for spelling in spellings:
                    self.letters[spelling] = self.letters.get(spelling, 0) | bit
                    self.spellings[spelling] = self.spellings.get(spelling, set()) | spellings
                self.letter_at[self.size] = character
                self.any_letter |= bit
            self.size += 1
        self.size += 1
        return self.size - 1

    def first(self) -> int:
        """The state before any letter."""
        return self.settled(self.start | (self.start & self.many) << 1)

    def settled(self, state: int) -> int:
        """The state without the positions of sets that match any continuation."""
        for index, forever in enumerate(self.forever):
            if state & forever:
                state = state & ~self.of_set[index] | self.done[index]
        return state

    def after(self, state: int, letter: str) -> int:
        """The state after a letter, or after all that a symbol stands for."""
        if letter in self.like:
            return self._after_text(state, letter)
        open_to_it = state
        if letter == ":":
            open_to_it &= ~self.not_colon
        elif _is_symbol(letter):
            open_to_it &= ~self.not_symbol
        moved = ((state & self.letters.get(letter, 0)) | (open_to_it & self.one)) << 1
        following = moved | open_to_it & self.many | state & self.all_done
        following |= (following & self.many) << 1
        return self.settled(following) if following & self.all_forever else following

    def _after_text(self, state: int, symbol: str) -> int:
        starts = state & self.starts.get(symbol, 0)
        whole = starts << 1
        whole = whole & ~self.rest | (whole & self.rest) << 1 | (state & self.letters.get(symbol, 0)) << 1
        state &= ~starts
        for letter in self.like[symbol]:
            state = self.after(state, letter)
        return self.settled(state | whole | (whole & self.many) << 1)

    def awaited(self, state: int) -> list[str]:
        """The letters that make a difference in this state."""
        waiting = state & self.any_letter
        found = []
        while waiting:
            letter = self.letter_at[(waiting & -waiting).bit_length() - 1]
            for spelling in sorted(self.spellings[letter]):
                bits = self.letters[spelling]
                if state & bits:
                    found.append(spelling)
                waiting &= ~bits
        if state & self.not_colon and ":" not in found:
            found.append(":")
        return found

    def matched(self, state: int) -> int:
        """The sets that a string which ends in this state matches, as bits."""
        if not state & self.all_accepting:
            return 0
        return sum(1 << index for index, accepting in enumerate(self.accepting) if state & accepting)


def _is_symbol(letter: str, offset: int = 0) -> bool:
    return chr(FIRST_SYMBOL + offset) <= letter <= _LAST_PRIVATE_LETTER


def fresh_letter(texts: "Sequence[str]") -> str:
    """A letter that occurs in none of these texts."""
    used = set().union(*texts)
    for letter in _FRESH:
        if letter not in used:
            return letter
    return next(chr(code) for code in range(0x4E00, 0xE000) if chr(code) not in used)


def combinations(
    sets: "Sequence[Alternatives]",
    budget: "Budget",
    *,
    avoid: "Sequence[str]" = (),
    required: int | None = None,
    like: "Mapping[str, str] | None" = None,
) -> list[Combination]:
    """Every combination of these sets that some string matches, with a shortest example.

    Parameters
    ----------
    sets : sequence of Alternatives
        Set i is bit i of a combination.
    budget : Budget
        One step for each state that is reached and each letter that is tried, more where states are large.
    avoid : sequence of str
        Texts whose letters the letter that stands for all others must not be one of.
    required : int, optional
        Index of a set that must match; nothing else is reported. When it is one of ARNs, symbols in it stand for
        texts within one part of an ARN.
    like : mapping, optional
        For a symbol a text that the sets take as they take what it stands for.

    Raises
    ------
    OutOfBudgetError
    """
    positions = Positions(like)
    for alternatives in sets:
        budget.spend(sum(map(len, alternatives.globs)) // _CHARACTERS_OF_A_STEP)
        positions.add(alternatives)
    fresh = fresh_letter([*(glob for alternatives in sets for glob in alternatives.globs), *avoid, "*?"])
    must = 0 if required is None else positions.of_set[required] | positions.done[required]
    within_parts = required is not None and sets[required].matching is Matching.ARN
    positions.not_symbol = positions.one if within_parts else positions.one | positions.not_colon
    start = positions.first()
    # A state is worth a second visit only with a fresh letter on the way to it.
    examples: dict[tuple[int, bool], str] = {(start, False): ""}
    queue = [(start, False)]
    best: dict[int, Combination] = {}
    price = 1 + positions.size // _BITS_OF_A_STEP
    missing = 1 << (len(sets) - (required is not None))
    for state, is_fresh in queue:
        example = examples[state, is_fresh]
        matched = positions.matched(state)
        known = best.get(matched)
        if known is None or (is_fresh and not known.has_others):
            best[matched] = Combination(matched, example, is_fresh)
            missing -= is_fresh and (required is None or matched >> required & 1)
            if not missing:
                break
        letters = positions.awaited(state)
        budget.spend((1 + len(letters)) * price)
        for letter in (fresh, *letters):
            following = positions.after(state, letter)
            reached = (following, is_fresh or letter == fresh)
            if reached in examples or (following, True) in examples or (required is not None and not following & must):
                continue
            examples[reached] = example + letter
            queue.append(reached)
    if required is not None:
        return [combination for combination in best.values() if combination.matched >> required & 1]
    return list(best.values())
