variable "environment" {
  description = "Stage of the deployment."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "account_id" {
  description = "AWS account that is deployed to."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "network" {
  description = "The VPC and the subnets of services and databases."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })
}

variable "sizing" {
  description = "How large the stage is."
  type = object({
    instance_class = string
    tasks          = number
    retention_days = number
    multi_az       = optional(bool, false)
  })
}
