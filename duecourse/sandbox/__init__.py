"""A mail server and an SMS gateway on this machine: real servers, kept messages, and trouble on demand."""

from duecourse.sandbox.faults import Delay, Drop, Fail, Fault, Stall
from duecourse.sandbox.received import Received, Repeats
from duecourse.sandbox.server import Sandbox

__all__ = ["Delay", "Drop", "Fail", "Fault", "Received", "Repeats", "Sandbox", "Stall"]
