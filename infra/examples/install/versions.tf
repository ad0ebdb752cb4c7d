# Where it is installed: the account of the credentials that are found, and one Region.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = var.region

  # Evenkeel keeps its records in tags of services, clusters and groups. Without this, the provider that owns one of them
  # would take the record of a move or a rollout off again at its next apply.
  ignore_tags {
    key_prefixes = ["evenkeel:"]
  }
}
