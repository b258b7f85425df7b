"""Make one Operation's calls, with their journal lines, and give back what came.

A shared call that is refused is halved until the culprit stands alone; each part has its Answer.
"""

from collections.abc import Callable, Iterator

from reconciler.applying.journal import Journal
from reconciler.errors import Interrupted, KeyRefused, Rejected, RemoteError
from reconciler.planning.operations import Operation, Patch, Post
from reconciler.planning.outcome import Answer, Failure
from reconciler.remote.client import Client


class Halt(Exception):
    """No further call is to be made, and why."""


class Caller:
    """Makes calls through `client`, noting each in `journal` before and after.

    `allowed` is asked before each call, and raises Halt if it must not be made. `trouble` is told
    what went wrong on this side of the wire. It has no state, so that many threads may use one.
    """

    def __init__(
        self,
        client: Client,
        journal: Journal,
        *,
        allowed: Callable[[], None],
        trouble: Callable[[Exception], None],
    ) -> None:
        self._client = client
        self._journal = journal
        self._allowed = allowed
        self._trouble = trouble

    def answers(
        self, operation: Operation, *, repeats: int | None = None, again: bool = False
    ) -> Iterator[Answer]:
        """Make the call, or its parts; the Answers in order.

        `repeats` bounds how often a PATCH may be repeated, `again` says that a create was sent
        before. Raises Halt or Interrupted if a call was not made.
        """
        if isinstance(operation, Post):
            yield self._once(operation, lambda: self._client.create(operation.body, again=again))
        elif isinstance(operation, Patch):
            yield from self._patch(operation, repeats)
        else:
            yield self._once(operation, lambda: self._client.delete(operation.change.id))

    def _patch(self, patch: Patch, repeats: int | None) -> Iterator[Answer]:
        answer = self._once(
            patch, lambda: self._client.update(patch.ids, patch.body, repeats=repeats)
        )
        failure = answer.failure
        if failure is None or not failure.refused or len(patch.changes) == 1:
            yield answer
            return
        # The API does not say which product it refused, and the others must not fail with it.
        half = len(patch.changes) // 2
        for part in (patch.changes[:half], patch.changes[half:]):
            yield from self._patch(Patch(part, patch.body), repeats)

    def _once(self, operation: Operation, call: Callable[[], str | bool | None]) -> Answer:
        self._allowed()
        try:
            number = self._journal.before(operation)
        except OSError as error:
            self._trouble(error)
            # A call that is not in the journal must not be made: its effect could not be told (P3).
            raise Halt from None
        id: str | None = None
        failure: Failure | None = None
        try:
            result = call()
        except RemoteError as error:
            failure, said = _failure(error), f"{error.code}: {error.message}"
        except Interrupted:
            self._note(number, "not sent")
            raise
        except Exception as error:
            # The call may have been made: that its answer could not be read must not hide it.
            self._trouble(error)
            failure = Failure(f"{type(error).__name__}: {error}", True, at_rest=False)
            said = "an error of this tool"
        else:
            said = "ok"
            id = result if isinstance(result, str) else None
            # The product may be gone, or the answer may be wrong: only a list tells.
            if result is False:
                failure = Failure("the server says that there is no such product", gone=True)
        self._note(number, said)
        return Answer(operation, self._client.clock.now(), id, failure)

    def _note(self, number: int, result: str) -> None:
        try:
            self._journal.after(number, result)
        except OSError as error:
            # The call was made, so its answer counts although its journal line is lost.
            self._trouble(error)


def _failure(error: RemoteError) -> Failure:
    """An error of the remote as a frozen value."""
    return Failure(
        error.message,
        error.may_have_landed,
        error.at_rest,
        refused=isinstance(error, Rejected) and not error.may_have_landed,
        key=isinstance(error, KeyRefused),
        repeats=error.repeats,
    )
