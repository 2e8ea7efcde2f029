"""Where the room meets ONNX Runtime, llama.cpp, SQLite, pip and the model hub."""
