"""Flow analysis of handler code: in which state the connection is wherever it is used.

`Checker(roots).check(file)` gives the findings of one file. It reads source and runs none.
"""

from micropie.flow.checker import Checker
from micropie.flow.findings import CODES, Code, Finding, Severity

__all__ = ["CODES", "Checker", "Code", "Finding", "Severity"]
