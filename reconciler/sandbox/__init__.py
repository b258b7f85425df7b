"""The sandbox: a local server that implements the documented API, with faults on request.

`server.Sandbox` runs it in this process, `server.serve` until it is told to stop; `faults` lists
the faults, `seed` fills it for a demonstration. Of the engine it uses only the field table, the
errors and the codes.
"""
