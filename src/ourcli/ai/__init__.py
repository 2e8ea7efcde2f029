"""Models on the user's own machine: embeddings, reranking, language models, their registry and cache."""
