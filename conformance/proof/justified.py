JUSTIFIED: dict[str, str] = {}
LIVE = "x"
