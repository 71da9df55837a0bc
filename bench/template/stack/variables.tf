variable "owner" {
  description = "Team that answers for the stack."
  type        = string
  default     = "@owner@"
}

variable "cost_center" {
  description = "Where the bill goes."
  type        = string
  default     = "@cost_center@"
}
