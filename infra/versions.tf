# What the module needs. It holds no provider block: the caller says in which account and Region it is installed, and the
# Region of that provider is the Region whose clusters are looked after.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  # `id` is the name of the Region in every version of the provider; `name` is deprecated from 6.0 on.
  region = data.aws_region.current.id
}
