"""Format 2: what surrounds a text in a conversation is found with it, and a source knows its page."""

from ourcli.memory.migrations.migration import Column, Migration, NoIndex, TextIndex

MIGRATION = Migration(
    format=2,
    what="records carry their context, which is indexed with the text, and the page of their source",
    steps=(
        Column(name="context", sql="''"),
        Column(name="indexed", sql="text"),
        Column(name="source_page", sql="CAST(NULL AS INT)"),
        TextIndex(column="indexed"),
        NoIndex(name="text_idx"),
    ),
)
