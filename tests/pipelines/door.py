"""Commands on the PATH that scripts start, and that the process of the tests carries out.

A script of a pipeline starts `reconciler` and `gh` many times. Each is a small program that hands
its arguments, folder and environment over a socket, and puts out what comes back.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Final
from unittest import mock

from tests.cli.run import Ended, run_here
from tests.pipelines import gh

CLIENT: Final = """
import json, os, socket, sys
port, *asked = sys.argv[1:]
with socket.create_connection(("127.0.0.1", int(port))) as door, door.makefile("rw") as lines:
    print(json.dumps([asked, os.getcwd(), dict(os.environ)]), file=lines, flush=True)
    code, out, err = json.loads(lines.readline())
sys.stdout.buffer.write(out.encode())
sys.stderr.buffer.write(err.encode())
sys.exit(code)
"""


class _Asked(StreamRequestHandler):
    """One command."""

    def handle(self) -> None:
        """Carry it out, while the test waits for the script that started it."""
        (name, *arguments), folder, environ = json.loads(self.rfile.readline())
        if name == "gh":
            # What `--jq` asks may ask for the environment.
            with mock.patch.dict(os.environ, environ, clear=True):
                ended = Ended(*gh.call(arguments))
        else:
            ended = run_here(Path(folder), arguments, environ)
        self.wfile.write(f"{json.dumps(ended)}\n".encode())


@contextmanager
def stand_ins(folder: Path) -> Iterator[Path]:
    """A folder for the PATH with `gh`, and with the command as this checkout has it."""
    client = folder / "client.py"
    client.write_text(CLIENT, encoding="utf-8")
    with ThreadingTCPServer(("127.0.0.1", 0), _Asked) as server:
        # Asked to end it looks every so often, and the test waits for that.
        serve = partial(server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        port = server.server_address[1]
        for name in ("gh", "reconciler"):
            script = folder / name
            # As an installed command: without the working folder among the modules' places (-I).
            start = f'exec "{sys.executable}" -IS {client} {port} {name} "$@"'
            script.write_text(f"#!/bin/sh\n{start}\n", encoding="utf-8")
            script.chmod(0o755)
        yield folder
        server.shutdown()
