"""Its stages: filing, inspection, season."""
