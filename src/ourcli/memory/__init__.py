"""Three layers of memory: records, recall over them, ingestion of files into them."""
