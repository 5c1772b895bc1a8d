"""Rule sets that differ from a bundled one in some numbers."""

import json
from typing import Any

from domain.kernel.rule_set import RuleSet, read_rule_set


def changed(rules: RuleSet, **numbers: Any) -> RuleSet:
    """Those rules with other numbers: `evidence=1` is a length, `adult_age_years=60` a parameter of its rule."""
    content = {**json.loads(rules.text), "version": "2099-01-01"}
    for name, value in numbers.items():
        length = name.replace("_", "-")
        if length in content["limits"]:
            content["limits"][length] = value
            continue
        for rule in content["rules"].values():
            if name in rule:
                rule[name] = value
    return read_rule_set(json.dumps(content, sort_keys=True, separators=(",", ":")))
