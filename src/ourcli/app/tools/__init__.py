"""The facade's side of tools: where they come from, who may use them, calling one."""
