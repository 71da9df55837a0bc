variable "prefix" {
  description = "Prefix of every name."
  type        = string
}

variable "retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
