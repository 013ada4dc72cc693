"""The template: the FastAPI application that a team starts from."""
