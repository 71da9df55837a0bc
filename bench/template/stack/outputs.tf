output "service_name" {
  description = "Name of the ECS service."
  value       = aws_ecs_service.this.name
}

output "database_endpoint" {
  description = "Where the database listens."
  value       = aws_db_instance.this.endpoint
  sensitive   = true
}
