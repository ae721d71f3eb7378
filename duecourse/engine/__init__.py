"""Everything that touches Temporal itself: server, connection, virtual time, workers, logs."""
