"""Durable drivers, one file per workflow. They wait and order; they decide nothing by themselves."""
