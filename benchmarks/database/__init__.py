"""What row security costs in the database: statements and whole transactions, side by side."""
