"""YAML as text: events, nodes, source, layout and scalars; knows no product."""
