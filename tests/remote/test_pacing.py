"""The governor: who may call, when, and when nobody may any more."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.errors import Interrupted, Unreachable
from reconciler.remote.pacing import Governor
from tests.remote.actions import Connect, Serve
from tests.remote.servers import Call, FakeClock, Reply, page, products, reply


def governor(
    concurrency: int = 8,
    clock: FakeClock | None = None,
    stop: threading.Event | None = None,
    rate: float | None = None,
) -> Governor:
    """A governor whose time passes only by waiting."""
    return Governor(
        concurrency=concurrency,
        clock=clock or FakeClock(),
        stop=stop or threading.Event(),
        rate=rate,
    )


def test_a_throttle_halves_the_calls_under_way() -> None:
    """Each throttle that comes after the wait of the one before halves, down to one."""
    clock = FakeClock()
    pacing = governor(16, clock)
    limits = []
    for _ in range(6):
        pacing.throttled(1)
        limits.append(pacing.limit)
        with pacing.slot():
            continue
    assert limits == [8, 4, 2, 1, 1, 1]


def test_one_burst_halves_once() -> None:
    """Throttled answers to calls that were under way together count as one."""
    pacing = governor(16)
    for _ in range(16):
        pacing.throttled(1)
    assert pacing.limit == 8


def test_answers_let_it_grow_back() -> None:
    """The limit grows by about one for each round of answers, up to where it began."""
    pacing = governor(8)
    pacing.throttled(1)
    grown = [pacing.limit]
    for _ in range(60):
        pacing.answered()
        grown.append(pacing.limit)
    assert grown == sorted(grown)
    assert grown[0] == 4
    assert grown[5] == 5
    assert grown[-1] == 8


def test_no_more_calls_are_under_way_than_allowed() -> None:
    """However many workers there are, the limit holds."""
    pacing = governor(3)
    under_way: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with pacing.slot():
            under_way.append(number)
            most.append(len(under_way))
            under_way.remove(number)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(300)))
    assert len(most) == 300
    assert max(most) <= 3


def test_the_rate_is_kept() -> None:
    """Calls begin no closer to each other than the rate says, the first one at once."""
    clock = FakeClock()
    pacing = governor(clock=clock, rate=4)
    starts = []
    for _ in range(5):
        with pacing.slot():
            starts.append(clock.now() - 1000)
    assert starts == [0, 0.25, 0.5, 0.75, 1.0]


def test_a_pause_of_the_callers_is_not_made_up_for() -> None:
    """Time without calls does not allow a burst after it."""
    clock = FakeClock()
    pacing = governor(clock=clock, rate=1)
    with pacing.slot():
        clock.wait(100, threading.Event())
    starts = []
    for _ in range(3):
        with pacing.slot():
            starts.append(clock.now() - 1100)
    assert starts == [0, 1, 2]


def test_a_list_keeps_the_rate(serve: Serve, connect: Connect) -> None:
    """Many workers together take no less time than the rate allows one."""
    clock = FakeClock()
    records = products(1000)
    server = serve(lambda call: page(call, records))
    connect(server, clock=clock, rate=10, concurrency=4).list()
    assert clock.now() - 1000 >= (len(server.calls) - 1) / 10 - 0.001


def test_everyone_waits_for_a_throttling_server(serve: Serve, connect: Connect) -> None:
    """After a 429 no worker calls before the time is over, only those already under way end."""
    clock = FakeClock()
    records = products(1000)
    times: list[float] = []
    refused: list[float] = []

    def handler(call: Call) -> Reply:
        times.append(clock.now())
        if len(times) == 6:
            refused.append(clock.now())
            return reply(429, Retry_After="40")
        return page(call, records)

    client = connect(serve(handler), clock=clock, concurrency=4)
    assert len(client.list().products) == 1000
    client.close()
    # What began before the answer was read: a call or two of each of the other three workers, and
    # not the fifteen that were left.
    between = [moment for moment in times[6:] if moment < refused[0] + 40]
    assert len(between) <= 9
    assert client.governor.limit <= 4


def test_failures_in_a_row_end_all() -> None:
    """At first contact three are enough; after an answer it takes more; one answer starts anew."""
    error = Unreachable("down", hint="look")
    pacing = governor(4)
    dead = []
    for failures, calm in ((2, "answered"), (13, "throttled"), (13, "")):
        for _ in range(failures):
            pacing.failed(error)
        dead.append(pacing.dead)
        if calm == "answered":
            pacing.answered()
        elif calm == "throttled":
            pacing.throttled(0)
    pacing.failed(error)
    assert [*dead, pacing.dead] == [False, False, False, True]
    with pytest.raises(Unreachable, match="down") as caught, pacing.slot():
        pass
    assert not caught.value.may_have_landed
    assert caught.value.hint == "look"


def test_waiting_workers_are_interrupted() -> None:
    """A stop reaches those who wait for a place as well as those who wait for the time."""
    stop = threading.Event()
    pacing = governor(1, stop=stop)
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with pacing.slot():
            pass

    with ThreadPoolExecutor(1) as pool, pacing.slot():
        future = pool.submit(second)
        waiting.wait()
        stop.set()
        with pytest.raises(Interrupted):
            future.result()
    clock = FakeClock()
    stop = threading.Event()
    clock.on_wait = stop.set
    pacing = governor(1, clock, stop)
    pacing.throttled(60)
    with pytest.raises(Interrupted), pacing.slot():
        pass
    with pytest.raises(Interrupted):
        pacing.pause(1)


def answer(
    pacing: Governor, clock: FakeClock, count: int, *, working: float, waiting: float
) -> int:
    """Let `count` calls be answered, each with so many seconds of work and of wait; the limit."""
    for _ in range(count):
        calls = pacing.limit
        # Waits pass side by side, work one after the other.
        clock.wait(max(working, (working + waiting) / calls), threading.Event())
        pacing.answered(working)
    return pacing.limit


def test_fewer_calls_at_once_where_the_server_answers_at_once() -> None:
    """Where work is all there is, two workers do: one works while the other waits."""
    clock = FakeClock()
    assert answer(governor(32, clock), clock, 500, working=0.001, waiting=0.0) == 2


def test_as_many_calls_as_allowed_where_the_server_is_slow() -> None:
    """Waits cost nothing, so all that the settings allow are under way, and no more."""
    clock = FakeClock()
    assert answer(governor(32, clock), clock, 500, working=0.001, waiting=0.05) == 32


def test_calls_at_once_follow_the_server() -> None:
    """A server that becomes slow is asked more at once again, one that becomes fast less."""
    clock = FakeClock()
    pacing = governor(32, clock)
    assert answer(pacing, clock, 500, working=0.001, waiting=0.0) == 2
    assert answer(pacing, clock, 500, working=0.001, waiting=0.05) == 32
    assert answer(pacing, clock, 500, working=0.001, waiting=0.0) == 2


def test_it_comes_to_rest_in_between() -> None:
    """Where some calls at once are right, their number does not go up and down for ever."""
    clock = FakeClock()
    pacing = governor(32, clock)
    answer(pacing, clock, 1_000, working=0.001, waiting=0.008)
    limits = {answer(pacing, clock, 10, working=0.001, waiting=0.008) for _ in range(50)}
    assert len(limits) == 1
    assert 4 < limits.pop() < 9


def test_a_single_call_at_once_stays_one() -> None:
    """What the settings allow is never exceeded, however little of it is used."""
    clock = FakeClock()
    assert answer(governor(1, clock), clock, 100, working=0.001, waiting=0.0) == 1
    assert answer(governor(1, clock), clock, 100, working=0.001, waiting=1.0) == 1
