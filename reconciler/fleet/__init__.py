"""Many stores in one run: the stories of one store, each called by a worker, here or elsewhere.

The run speaks to `concurrent.futures.Executor` only. On this machine that is a few processes with
several stores under way in each; with a scheduler it is Dask's.
"""
