environment = "prod"
account_id  = "111122223333"
region      = "eu-central-1"

network = {
  vpc_id     = "vpc-0a1b2c3d4e5f60718"
  subnet_ids = ["subnet-0aaaa1111bbbb2222", "subnet-0cccc3333dddd4444"]
}

sizing = {
  instance_class = "db.r6g.large"
  tasks          = 4
  retention_days = 365
  multi_az       = true
}
