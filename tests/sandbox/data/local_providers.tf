resource "random_bytes" "a" { length = 4 }
resource "random_id" "a" {
  byte_length = 4
  prefix      = "x-"
}
resource "random_integer" "a" {
  min = 1
  max = 10
}
resource "random_password" "a" {
  length           = 24
  override_special = "!_"
  min_special      = 2
}
resource "random_pet" "a" {
  length    = 3
  separator = "."
}
resource "random_shuffle" "a" {
  input        = ["a", "b"]
  result_count = 1
}
resource "random_string" "a" {
  length      = 8
  special     = false
  upper       = false
  min_numeric = 3
}
resource "random_uuid" "a" {
  keepers = { keep = "1" }
}
resource "tls_private_key" "a" {
  algorithm = "ED25519"
}
resource "tls_private_key" "rsa" {
  algorithm = "RSA"
}
resource "tls_private_key" "elliptic" {
  algorithm = "ECDSA"
}
data "tls_public_key" "a" {
  private_key_openssh = tls_private_key.a.private_key_openssh
}
resource "tls_cert_request" "a" {
  private_key_pem = tls_private_key.elliptic.private_key_pem
  dns_names       = ["shop.example.com"]
  subject {
    common_name = "shop.example.com"
  }
}
resource "tls_self_signed_cert" "a" {
  private_key_pem       = tls_private_key.a.private_key_pem
  is_ca_certificate     = true
  validity_period_hours = 24
  allowed_uses          = ["cert_signing"]
  subject {
    common_name  = "authority"
    organization = "Shop"
  }
}
resource "tls_locally_signed_cert" "a" {
  cert_request_pem      = tls_cert_request.a.cert_request_pem
  ca_private_key_pem    = tls_private_key.a.private_key_pem
  ca_cert_pem           = tls_self_signed_cert.a.cert_pem
  validity_period_hours = 12
  allowed_uses          = ["server_auth"]
}
resource "time_static" "a" { rfc3339 = "2026-01-31T10:00:00Z" }
resource "time_offset" "a" {
  base_rfc3339  = "2026-01-31T10:00:00Z"
  offset_months = 1
}
resource "time_rotating" "a" {
  rfc3339       = "2026-01-31T10:00:00Z"
  rotation_days = 7
}
resource "time_sleep" "a" { create_duration = "30s" }
resource "null_resource" "a" {}
resource "terraform_data" "a" { input = "from data" }
resource "local_file" "a" {
  filename = "${path.module}/a.txt"
  content  = "hello"
}
resource "local_sensitive_file" "a" {
  filename = "${path.module}/b.txt"
  content  = "hello"
}
data "archive_file" "a" {
  type                    = "zip"
  output_path             = "${path.module}/a.zip"
  source_content_filename = "a.txt"
  source_content          = random_uuid.b.result
}
resource "random_uuid" "b" {}
resource "archive_file" "a" {
  type        = "zip"
  output_path = "${path.module}/b.zip"
  source_file = "${path.module}/a.txt"
}
locals {
  values = {
    bytes     = random_bytes.a.hex
    id        = random_id.a.hex
    integer   = random_integer.a.result
    pet       = random_pet.a.id
    shuffle   = random_shuffle.a.result[0]
    string    = random_string.a.result
    uuid      = random_uuid.a.result
    ssh       = tls_private_key.a.public_key_openssh
    read      = data.tls_public_key.a.public_key_openssh
    rsa       = tls_private_key.rsa.private_key_pem
    request   = tls_cert_request.a.cert_request_pem
    signed    = tls_locally_signed_cert.a.cert_pem
    own       = tls_self_signed_cert.a.cert_pem
    static    = time_static.a.rfc3339
    offset    = time_offset.a.rfc3339
    rotating  = time_rotating.a.rotation_rfc3339
    sleep     = time_sleep.a.id
    null      = null_resource.a.id
    data      = terraform_data.a.output
    file      = local_file.a.content_sha256
    sensitive = local_sensitive_file.a.content_sha256
    archive   = data.archive_file.a.output_base64sha256
    archived  = archive_file.a.output_md5
  }
}
resource "aws_ssm_parameter" "a" {
  for_each = local.values
  name     = "/local/${each.key}"
  type     = "SecureString"
  value    = each.value
}
resource "aws_secretsmanager_secret" "a" { name = "local/password" }
resource "aws_secretsmanager_secret_version" "a" {
  secret_id     = aws_secretsmanager_secret.a.id
  secret_string = jsonencode({ password = random_password.a.result })
}
resource "aws_s3_bucket" "a" { bucket = "local-${random_id.a.hex}-111122223333" }
