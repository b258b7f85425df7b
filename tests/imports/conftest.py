"""A folder to work in, and commands that run in it, in this process."""

from tests.commands.conftest import folder, here

__all__ = ["folder", "here"]
