"""What holds for every test: settings of the developer's shell and the outside world stay out."""

import os
import sys
from ipaddress import ip_address
from typing import Any

from hypothesis import settings

# A key in the developer's environment must not reach a test, nor a colour or a width change one.
for _name in tuple(os.environ):
    if _name.startswith(("ROBOSIZE_", "RECONCILER_")) or _name in {
        "CI",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "FORCE_COLOR",
        "NO_COLOR",
    }:
        del os.environ[_name]

# No test cuts the power, and an apply in a test would wait for the disk most of its time.
setattr(os, "fsync", lambda descriptor: None)  # noqa: B010  (a type checker takes it for a method)

# No deadlines: a busy machine is not a failure. The seed is fixed, so a red run can be repeated;
# `make soak` looks for new examples.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("soak", deadline=None, max_examples=5000)
settings.load_profile("quick")


def _stay_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse a connection to any address that is not loopback."""
    if event != "socket.connect" or not isinstance(arguments[1], tuple):
        return
    host = arguments[1][0]
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise RuntimeError(f"A test tried to connect to {host}: only loopback is allowed.")


sys.addaudithook(_stay_on_this_machine)
