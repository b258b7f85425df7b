"""The sandbox: a local server that implements the documented API, and misbehaves when asked to.

Start with `server.Sandbox` (in this process) or `server.serve` (until told to stop); `faults` says
how it can misbehave, `seed` fills it for a demonstration. Of the engine it knows the field table,
the errors and the codes, nothing else.
"""
