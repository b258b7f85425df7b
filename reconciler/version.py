"""The version of the tool, in its one place: the build reads it from here too."""

VERSION = "1.0.0"
