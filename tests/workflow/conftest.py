"""Workflow tests run the real workflow on real servers, with activities that need no database."""

from tests.support.temporal import dev_server, skipping_server

__all__ = ["dev_server", "skipping_server"]
