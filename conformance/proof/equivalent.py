EQUIVALENT: dict[str, list[str]] = {}
