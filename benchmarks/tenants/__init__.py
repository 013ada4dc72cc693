"""The rows of one's tenants, beside the joins that an application writes by hand."""
