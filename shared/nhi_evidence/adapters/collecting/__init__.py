"""Reading the settings of every account and cloud, from one function without a stored secret."""
