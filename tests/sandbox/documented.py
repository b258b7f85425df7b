"""What product-sync-api.txt says of a record."""

DOCUMENTED = (
    "id",
    "store_id",
    "name",
    "status",
    "brand",
    "tags",
    "fit_toughness",
    "comment",
    "image_md",
    "available_sizes",
    "size_chart",
    "fabric",
    "handle",
)
"""The keys of a record, in the order of the documentation."""
