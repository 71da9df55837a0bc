"""A run as Allure's results."""
