# Versions of Terraform and of the provider, and what holds for every resource.

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

  # Evenkeel keeps its records in tags of the cluster, the service and the Auto Scaling group. An apply that took them away
  # would make it forget a move or a rollout in the middle: it would then have to be put right by hand. The provider applies
  # this list to the `tags` of every resource, and to the `tag` blocks of an Auto Scaling group as well.
  ignore_tags {
    key_prefixes = ["evenkeel:"]
  }

  default_tags {
    tags = {
      Project = var.name
    }
  }
}
