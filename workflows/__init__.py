"""How a case moves: order, waiting, retries and deadlines. No rule is written here."""
