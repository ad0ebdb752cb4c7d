# Never committed beside the example: sends every call to an emulator, and goes round what emulators cannot do.

provider "aws" {
  access_key                  = "test"
  secret_key                  = "test"
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true
  max_retries                 = 2

  ignore_tags {
    key_prefixes = ["evenkeel:"]
  }

  endpoints {
    applicationautoscaling = "http://127.0.0.1:PORT"
    autoscaling            = "http://127.0.0.1:PORT"
    cloudwatch             = "http://127.0.0.1:PORT"
    ec2                    = "http://127.0.0.1:PORT"
    ecs                    = "http://127.0.0.1:PORT"
    elbv2                  = "http://127.0.0.1:PORT"
    events                 = "http://127.0.0.1:PORT"
    iam                    = "http://127.0.0.1:PORT"
    lambda                 = "http://127.0.0.1:PORT"
    logs                   = "http://127.0.0.1:PORT"
    scheduler              = "http://127.0.0.1:PORT"
    sqs                    = "http://127.0.0.1:PORT"
    ssm                    = "http://127.0.0.1:PORT"
    sts                    = "http://127.0.0.1:PORT"
  }
}

# The provider crashes on what an emulator answers for a service without a network configuration.
resource "aws_ecs_service" "web" {
  network_configuration {
    subnets         = aws_subnet.this[*].id
    security_groups = [aws_security_group.instance.id]
  }
}

resource "aws_ecs_task_definition" "web" {
  network_mode = "awsvpc"
}

resource "aws_lb_target_group" "this" {
  target_type = "ip"
}

# An emulator launches fewer instances than wanted, or none that EC2 knows of.
resource "aws_autoscaling_group" "this" {
  wait_for_capacity_timeout = "0"
}

# ministack does not know DescribeInstanceTypeOfferings.
data "aws_ec2_instance_type_offerings" "this" {
  count = 0
}

locals {
  offered_types = local.wanted_types
}

# ministack has no Application Auto Scaling; moto's lacks ListTagsForResource, without which the provider cannot read.
resource "aws_appautoscaling_target" "web" {
  count = 0
}

resource "aws_appautoscaling_policy" "web" {
  count = 0

  service_namespace  = "ecs"
  resource_id        = "service/none/none"
  scalable_dimension = "ecs:service:DesiredCount"
}
