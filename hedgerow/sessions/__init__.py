"""How an identity reaches each transaction: bind it, send it with BEGIN, elevate it for a block."""
