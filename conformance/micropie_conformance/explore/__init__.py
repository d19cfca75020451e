"""Exploration: every sequence of calls and events up to a length, compared with a model.

`alphabet` has the letters that a sequence is made of, `model` says what may come of each,
`playing` plays a sequence to an implementation, and `explorer` goes through all of them, makes
each failure as short as it can be, and names the clause. `cases` gives what was found as the
results of cases.
"""
