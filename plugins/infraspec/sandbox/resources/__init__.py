"""The resource types that the sandbox can create: a table for each family of services, and what tables do not say."""
