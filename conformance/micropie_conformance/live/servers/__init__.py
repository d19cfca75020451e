"""The servers that live cases run behind: a module for each, with its `WORKERS`.

A worker is what `micropie_conformance.live.hosting.Host` runs in a thread. Each is made by a
function, which raises ImportError when what it needs is not installed.
"""
