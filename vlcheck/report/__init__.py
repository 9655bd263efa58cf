"""Reports: pages, tables and cards that are drawn from the results of a run."""
