"""Faults: the ways in which the sandbox can misbehave, and the calls that they strike.

A Schedule depends only on its seed and the order of calls, so the same calls in the same order meet
the same faults.
"""

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from reconciler.errors import UsageError
from reconciler.model.fields import KEYS
from reconciler.wording import nearest_word

Moment: TypeAlias = Literal["before", "after"]

_MOMENTS: Final = get_args(Moment)


class Sort(NamedTuple):
    """One kind of fault: its meaning, the methods that it can strike, and its ways."""

    meaning: str
    methods: tuple[str, ...] = ("GET", "POST", "PATCH", "DELETE")
    ways: tuple[str, ...] = ()
    field: bool = False
    """Whether the fault needs a `field`."""


_WRITES: Final = ("POST", "PATCH")

SORTS: Final[Mapping[str, Sort]] = MappingProxyType(
    {
        # The answer is lost, late or wrong.
        "status": Sort("Answers `status` (503), with Retry-After if `retry_after` is given."),
        "reset": Sort("Drops the connection without an answer.", ways=("reset", "close")),
        "hang": Sort("Waits `seconds` before or after the call takes effect, then goes on."),
        "slow": Sort("Sends the body in pieces, over `seconds`."),
        "truncate": Sort(
            "Sends half the body; the Content-Length is of the `whole` or of what is left (`cut`).",
            ways=("whole", "cut"),
        ),
        "html": Sort("Answers 200 with a page of HTML."),
        "redirect": Sort("Answers 302 to the same path and query at the origin `location`."),
        "empty": Sort("Answers without a body."),
        "content_type": Sort("Answers with the right body, called text/plain."),
        "shape": Sort("Answers JSON of another shape: `body`, or the right body wrapped."),
        # The list does not match the products.
        "lying_count": Sort("Adds `amount` to the count of a page.", methods=("GET",)),
        "shift": Sort(
            "Moves the list: a product is inserted in front, the first is deleted, or both"
            " (`replace`: the first deleted, another added at the end), `amount` times.",
            methods=("GET",),
            ways=("insert", "delete", "replace"),
        ),
        "lag": Sort(
            "Hides the write from the next `lists` lists, or without them from the lists of the"
            " next `seconds`: they show the product as it was.",
            methods=(*_WRITES, "DELETE"),
        ),
        "unlist": Sort(
            "Leaves the product of `store_id`, or the first, out of this list and, as it is with"
            " `lag`, out of `lists` in all or those of the next `seconds`.",
            methods=("GET",),
        ),
        "same_id": Sort(
            "Lists `amount` products of each page with the id of its first one.", methods=("GET",)
        ),
        "new_id": Sort("Gives the product of `store_id`, or the first, another id.", ("GET",)),
        # The write has another effect than the one asked for.
        "partial_patch": Sort("Updates the first `amount` products only.", methods=("PATCH",)),
        "ignore_field": Sort("Accepts `field` and does not store it.", methods=_WRITES, field=True),
        "normalise": Sort(
            "Stores `field` in another form.",
            methods=_WRITES,
            ways=("lower", "upper", "title", "strip", "reverse"),
            field=True,
        ),
        "ignore": Sort("Answers as usual and does nothing.", methods=("PATCH", "DELETE")),
        "created_zero": Sort('Answers {"created": 0} and creates nothing.', methods=("POST",)),
        "duplicate_create": Sort("Creates the product twice.", methods=("POST",)),
        "wrong_id": Sort(
            "Answers a create with an id that is not its own: of the `listed` product of `store_id`"
            " (or the first), of an `earlier` create, or one that no product ever has (`never`).",
            methods=("POST",),
            ways=("listed", "earlier", "never"),
        ),
    }
)
"""Every kind of fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, and the calls that it strikes.

    It concerns the calls of `method` (None: of every method that the kind can strike) with the text
    `containing` in their query (without the key) or body. Of these it strikes all, or the `nth`
    (1-based), or every `every`-th, or each with the probability `chance`; at most `times` in all.
    With the `moment` "after" the call has its effect before the answer goes wrong. Raises
    UsageError for arguments that make no sense.
    """

    kind: str
    method: str | None = None
    moment: Moment = "before"
    nth: tuple[int, ...] | None = None
    every: int | None = None
    chance: float | None = None
    times: int | None = None
    containing: str | None = None
    status: int | None = None
    """Of `status` (503), `html` (200) and `redirect` (302)."""
    retry_after: str | None = None
    """Seconds or an HTTP date, sent unchanged."""
    seconds: float = 1.0
    field: str | None = None
    way: str = ""
    """One of the kind's ways; by default the first."""
    amount: int = 1
    lists: int | None = None
    """Of `lag` and `unlist`: the number of lists that do not show it."""
    store_id: str | None = None
    """Of `wrong_id`, `new_id` and `unlist`: the product; by default the first."""
    location: str = "https://elsewhere.invalid"
    body: str | None = None

    def __post_init__(self) -> None:
        complaints = _complaints(self)
        if complaints:
            raise UsageError(
                f"The fault {self.kind!r} cannot be used: {'; '.join(complaints)}.",
                hint="See Fault in reconciler.sandbox.faults for what a fault may say.",
            )
        if not self.way and SORTS[self.kind].ways:
            # The class is frozen, and the default depends on the kind.
            object.__setattr__(self, "way", SORTS[self.kind].ways[0])

    def concerns(self, method: str, text: str) -> bool:
        """Whether this fault counts a call of this method with this query and body."""
        methods = SORTS[self.kind].methods if self.method is None else (self.method,)
        return method in methods and (self.containing is None or self.containing in text)

    def strikes(self, ordinal: int, luck: float) -> bool:
        """Whether it strikes the call number `ordinal` (1-based) of those that it concerns."""
        if self.nth is not None and ordinal not in self.nth:
            return False
        if self.every is not None and ordinal % self.every:
            return False
        return self.chance is None or luck < self.chance


def _complaints(fault: Fault) -> list[str]:
    """Everything that is wrong with the arguments of a fault."""
    sort = SORTS.get(fault.kind)
    if sort is None:
        known = suggestion(fault.kind, SORTS) or f" (there are {', '.join(SORTS)})"
        return [f"there is no such kind{known}"]
    methods, ways = ", ".join(sort.methods), ", ".join(sort.ways) or "none"
    wrong = {
        f"method is one of {methods}, not {fault.method!r}": fault.method is not None
        and fault.method not in sort.methods,
        f"moment is before or after, not {fault.moment!r}": fault.moment not in _MOMENTS,
        f"way is one of {ways}, not {fault.way!r}": fault.way and fault.way not in sort.ways,
        f"field is one of {', '.join(KEYS)}, not {fault.field!r}": sort.field
        and fault.field not in KEYS,
        "nth counts from 1": fault.nth is not None and min(fault.nth, default=0) < 1,
        "every is 1 or more": fault.every is not None and fault.every < 1,
        "times is 0 or more": fault.times is not None and fault.times < 0,
        "lists is 0 or more": fault.lists is not None and fault.lists < 0,
        "chance lies between 0 and 1": not 0 <= (fault.chance or 0) <= 1,
        "status lies between 200 and 599": not 200 <= (fault.status or 200) <= 599,
        "seconds lies between 0 and 86400": not 0 <= fault.seconds <= 86_400,
    }
    return [complaint for complaint, is_so in wrong.items() if is_so]


def first(faults: Iterable[Fault], kind: str) -> Fault | None:
    """The first fault of a kind, or None."""
    return next((fault for fault in faults if fault.kind == kind), None)


def suggestion(word: str, known: Iterable[str]) -> str:
    """A "did you mean" in brackets, if a known word is similar; else empty."""
    near = nearest_word(word, known)
    return f" (did you mean {near!r}?)" if near else ""


class Schedule:
    """Decides which faults strike which calls. Thread-safe."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.faults = tuple(faults)
        self.seed = seed
        self._lock = threading.Lock()
        self._concerned = [0] * len(self.faults)
        self._struck = [0] * len(self.faults)

    def fire(self, method: str, text: str = "") -> tuple[Fault, ...]:
        """The faults that strike the call that has just come, in the given order."""
        struck: list[Fault] = []
        with self._lock:
            for number, fault in enumerate(self.faults):
                if not fault.concerns(method, text):
                    continue
                # Counted before `times` is looked at: an ordinal means the same call whatever has
                # struck.
                self._concerned[number] += 1
                ordinal = self._concerned[number]
                if fault.times is not None and self._struck[number] >= fault.times:
                    continue
                if fault.strikes(ordinal, _luck(self.seed, number, ordinal)):
                    self._struck[number] += 1
                    struck.append(fault)
        return tuple(struck)


def _luck(seed: int, number: int, ordinal: int) -> float:
    """A pseudo-random number in [0, 1) that depends only on these three numbers."""
    # Not `random`: its state would depend on other faults and threads.
    digest = hashlib.blake2b(f"{seed} {number} {ordinal}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56
