"""IAM policies: documents, matching, decisions."""
