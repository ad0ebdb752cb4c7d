# The container instances: launch template, what is run at boot, and the Auto Scaling group on Spot.

# The AMI is read here, at plan time, and not left to EC2 by `resolve:ssm:` in the template: behind that, the AMI changes under
# one and the same template version, unseen until the next instance is launched. This way a new AMI makes a new version, and
# the plan shows it.
data "aws_ssm_parameter" "ami" {
  count = var.ami_id == null ? 1 : 0

  name = join("/", compact([
    "/aws/service/ecs/optimized-ami/amazon-linux-2023",
    var.architecture == "arm64" ? "arm64" : "",
    "recommended/image_id",
  ]))
}

# Not every Region has every type, and EC2 Auto Scaling counts those it cannot launch as failed launches.
data "aws_ec2_instance_type_offerings" "this" {
  location_type = "region"

  filter {
    name   = "instance-type"
    values = local.wanted_types
  }
}

locals {
  # Two vCPUs and 8 GiB or more, over several generations, makers and disks: each type in each zone is a pool of Spot
  # capacity of its own, and the more pools, the fewer interruptions. Burstable types (t4g) are left out: under steady load
  # they are either slow or dear. Memory differs in the arm64 list (r types have 16 GiB), since arm64 has fewer families.
  comparable_types = {
    arm64 = [
      "m6g.large", "m6gd.large", "m7g.large", "m7gd.large", "m8g.large", "m8gd.large",
      "r6g.large", "r6gd.large", "r7g.large", "r7gd.large", "r8g.large",
    ]
    x86_64 = [
      "m5.large", "m5a.large", "m5ad.large", "m5d.large", "m5n.large", "m6a.large", "m6i.large", "m6id.large",
      "m7a.large", "m7i.large", "m7i-flex.large",
    ]
  }
  wanted_types   = var.instance_types == null ? local.comparable_types[var.architecture] : var.instance_types
  offered_types  = data.aws_ec2_instance_type_offerings.this.instance_types
  instance_types = [for type in local.wanted_types : type if contains(local.offered_types, type)]

  # From launch to a registered agent; until then an instance's figures say nothing about load.
  warmup_seconds = 90
}

check "enough_instance_types" {
  assert {
    condition     = length(local.instance_types) >= 10
    error_message = "This Region offers only ${length(local.instance_types)} of the instance types; add others to instance_types."
  }
}

resource "aws_launch_template" "this" {
  name                   = var.name
  description            = "Container instances of ${var.name}"
  image_id               = var.ami_id == null ? one(data.aws_ssm_parameter.ami[*].insecure_value) : var.ami_id
  user_data              = base64encode(local.user_data)
  update_default_version = true

  iam_instance_profile {
    arn = aws_iam_instance_profile.instance.arn
  }

  # One hop reaches the instance and the ECS agent, which is in the host's network, but not a container behind Docker's
  # bridge: tasks get credentials of their own from the agent, and must not be able to take those of the instance.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  network_interfaces {
    #checkov:skip=CKV_AWS_88:A public address instead of a NAT gateway, see network.tf; nothing but the load balancer may come in.
    associate_public_ip_address = true
    delete_on_termination       = true
    security_groups             = [aws_security_group.instance.id]
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = var.root_volume_size
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  monitoring {
    enabled = var.detailed_monitoring
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume", "network-interface"]

    content {
      resource_type = tag_specifications.value
      tags          = { Name = var.name, Project = var.name, (local.instance_tag) = var.name }
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name                = var.name
  vpc_zone_identifier = aws_subnet.this[*].id
  min_size            = var.minimum_instances
  max_size            = var.maximum_instances

  # EC2 tells only whether the host lives; whether a task serves is for the service's target group to know. A group with
  # load balancers of its own is refused by a rollout, since leaving the group would then take an instance out of service.
  health_check_type         = "EC2"
  health_check_grace_period = local.warmup_seconds
  default_instance_warmup   = local.warmup_seconds

  # EC2's recommendation to move away often comes minutes before the two-minute notice, sometimes with it, and sometimes for
  # an instance that is never taken. The group then launches a substitute first and ends the old instance through managed
  # draining, which takes the time it needs. If the notice comes in the middle, Evenkeel sees that the group is already
  # taking the instance out and asks for no second substitute. Evenkeel's own on_rebalance_recommendation stays "ignore":
  # one of the two is enough.
  capacity_rebalance = var.capacity_rebalance

  # Instances with an old template version go first when the group shrinks. A rollout does not rely on it: it terminates
  # by name. There is no max_instance_lifetime: it would replace instances in the middle of a rollout.
  termination_policies = ["OldestLaunchTemplate", "AllocationStrategy"]

  # ECS keeps a terminate hook on this group. Once the capacity provider is gone nobody answers it, and a group that is
  # deleted without force waits for it until Terraform gives up.
  force_delete = true

  # No weights: managed scaling does not support them, and a rollout refuses groups that count units instead of instances.
  mixed_instances_policy {
    instances_distribution {
      on_demand_base_capacity                  = var.on_demand_base
      on_demand_percentage_above_base_capacity = var.on_demand_percentage
      on_demand_allocation_strategy            = "lowest-price"
      spot_allocation_strategy                 = "price-capacity-optimized"
    }

    launch_template {
      # A number, not "$Latest": the group changes by an apply only, and its plan says so.
      launch_template_specification {
        launch_template_id = aws_launch_template.this.id
        version            = aws_launch_template.this.latest_version
      }

      dynamic "override" {
        for_each = local.instance_types

        content {
          instance_type = override.value
        }
      }
    }
  }

  # ECS sets this tag when the capacity provider is made; without it here the next apply would take it away.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  # The provider's default tags do not reach Auto Scaling groups.
  tag {
    key                 = "Project"
    value               = var.name
    propagate_at_launch = false
  }

  # Managed scaling, Evenkeel on the way back of a rollout, and people set the size; an apply must not set it back.
  lifecycle {
    ignore_changes = [desired_capacity]
  }

  depends_on = [aws_iam_role_policy.instance, aws_route_table_association.this]
}
